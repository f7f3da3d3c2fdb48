/**
 * Names that a test gives and that do not exist: a slip must be told, since otherwise it is a rule that never applies or a filter that matches
 * everything. No compiler looks at tests in JavaScript.
 */
import { apiByName } from '../../common/protocol/registry.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { UnknownKey } from '../config/broker-config.ts'
import { nearestName } from '../config/suggest.ts'

/** The first key that is not known. */
export function unknownKeyOf(given: object, known: Readonly<Record<string, true>>): UnknownKey | undefined {
  const name = Object.keys(given).find((key) => !Object.hasOwn(known, key))
  return name === undefined ? undefined : { name, didYouMean: nearestName(name, Object.keys(known)) }
}

/** @throws Error for the first key that is not known @param kind what the keys are, for the words */
export function refuseUnknownKeys(kind: string, given: object, known: Readonly<Record<string, true>>): void {
  const wrong = unknownKeyOf(given, known)
  if (wrong === undefined) return
  const { name, didYouMean } = wrong
  const hint =
    didYouMean === null ? `There are ${Object.keys(known).join(', ')}.` : `Did you mean "${didYouMean}"?`
  throw new Error(`There is no ${kind} "${name}". ${hint}`)
}

/** @throws Error when Kafka has none of that name */
export function knownApi(name: string): ApiSchema {
  const api = apiByName(name)
  if (api === undefined) throw new Error(`Kafka has no API called ${name}.`)
  return api
}
