/**
 * Names that a test gives and that do not exist: a slip must be told, since otherwise it is a rule that never applies or a filter that matches
 * everything. No compiler looks at tests in JavaScript.
 */
import { apiByName } from '../../common/protocol/registry.ts'
import { nearestName } from '../config/suggest.ts'

/** @throws Error for the first key that is not known @param kind what the keys are, for the words */
export function refuseUnknownKeys(kind: string, given: object, known: Readonly<Record<string, true>>): void {
  const wrong = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (wrong === undefined) return
  const near = nearestName(wrong, Object.keys(known))
  const hint = near === null ? `There are ${Object.keys(known).join(', ')}.` : `Did you mean "${near}"?`
  throw new Error(`There is no ${kind} "${wrong}". ${hint}`)
}

/** @throws Error for the first that is none of Kafka's APIs */
export function refuseUnknownApis(names: readonly string[]): void {
  const wrong = names.find((name) => apiByName(name) === undefined)
  if (wrong !== undefined) throw new Error(`Kafka has no API called ${wrong}.`)
}
