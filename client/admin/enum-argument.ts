/** Enumerations as arguments: a number, or the name of a member in any case. */
import { ValueError } from '../errors.ts'

/** ValueError for null, an unknown name or an unknown number; TypeError for anything else. */
export function enumArgument<E extends Readonly<Record<string, number>>>(
  members: E,
  value: unknown,
  name: string,
): E[keyof E] {
  if (value === null || value === undefined) throw new ValueError(`${name} must not be null`)
  const number = typeof value === 'string' ? members[value.toUpperCase()] : value
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new TypeError(`${name} must be a member of the enumeration`)
  }
  if (!Object.values(members).includes(number as number)) throw new ValueError(`unknown ${name}: ${value}`)
  return number as E[keyof E]
}
