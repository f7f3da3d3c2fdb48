/** Where two answers differ, as paths. */
import type { Json } from './normalise.ts'

export interface Difference {
  /** `responses[0].partitionResponses[0].errorCode` */
  readonly path: string
  readonly kafka: Json | undefined
  readonly ours: Json | undefined
}

export function differences(kafka: Json | undefined, ours: Json | undefined, path = ''): Difference[] {
  if (kafka === ours) return []
  if (Array.isArray(kafka) && Array.isArray(ours)) {
    if (kafka.length !== ours.length) return [{ path, kafka, ours }]
    return kafka.flatMap((one, index) => differences(one, ours[index], `${path}[${index}]`))
  }
  if (isObject(kafka) && isObject(ours)) {
    const names = new Set([...Object.keys(kafka), ...Object.keys(ours)])
    return [...names].flatMap((name) =>
      differences(kafka[name], ours[name], path === '' ? name : `${path}.${name}`),
    )
  }
  return [{ path, kafka, ours }]
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
