/**
 * What AlterConfigs and IncrementalAlterConfigs do to one resource, as pure functions: the values a resource has, the
 * operations asked for, and either the values it will have or the refusal a client sees.
 *
 * The order of the checks is Kafka's, so that of several mistakes the same one is reported. Whether a topic exists,
 * and whether the caller may do it, is checked by the callers, after these checks.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { brokerRow, listenerBaseKey } from './broker.ts'
import type { ConfigTexts } from './levels.ts'
import { topicRow } from './topic-config.ts'

/** As on the wire. */
export const ALTER_OPERATIONS = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

export interface AlterOperation {
  readonly name: string
  /** One of `ALTER_OPERATIONS`; clients may send anything. */
  readonly operation: number
  readonly value: string | null
}

export interface AlterRefusal {
  readonly error: ErrorCode
  readonly message: string | null
}

export interface Altered {
  readonly error: typeof ErrorCode.NONE
  /** All values the resource has from now on; a key that is missing here is to be removed. */
  readonly newValues: ConfigTexts
}

export type AlterResult = Altered | AlterRefusal

/** Longest value in bytes that a metadata record holds. */
const MAX_VALUE_BYTES = 32_767

export function refuse(error: ErrorCode, message: string | null): AlterRefusal {
  return { error, message }
}

export function accept(newValues: ConfigTexts): Altered {
  return { error: ErrorCode.NONE, newValues }
}

export function isRefused(result: AlterResult): result is AlterRefusal {
  return result.error !== ErrorCode.NONE
}

/** What every resource has in common: no key twice, no null where a value is needed. */
export function checkOperations(operations: readonly AlterOperation[]): AlterRefusal | null {
  if (new Set(operations.map(({ name }) => name)).size !== operations.length) {
    return refuse(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys')
  }
  const nulls = operations.filter((operation) => {
    return operation.operation !== ALTER_OPERATIONS.DELETE && operation.value === null
  })
  if (nulls.length === 0) return null
  const names = nulls.map(({ name }) => name).join(', ')
  return refuse(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${names}`)
}

/** AlterConfigs replaces everything: what it does not name is removed. */
export function replacingOperations(
  current: ConfigTexts,
  wanted: readonly { readonly name: string; readonly value: string | null }[],
): readonly AlterOperation[] {
  const names = new Set(wanted.map(({ name }) => name))
  const removed = [...current.keys()].filter((name) => !names.has(name))
  return [
    ...wanted.map(({ name, value }) => ({ name, operation: ALTER_OPERATIONS.SET, value })),
    ...removed.map((name) => ({ name, operation: ALTER_OPERATIONS.DELETE, value: null })),
  ]
}

/** Splits as the controller does: no blanks are trimmed, and empty entries at the end are dropped. */
function parts(text: string): string[] {
  const entries = text.split(',')
  while (entries.length > 1 && entries.at(-1) === '') entries.pop()
  return text === '' ? [] : entries
}

/** The text a LIST has before it is appended to when the resource does not set it; undefined if it is no LIST. */
export type ListBase = (name: string) => string | undefined

/** A topic appends to Kafka's own default; what its broker was started with does not count. */
export const topicListBase: ListBase = (name) => {
  const row = topicRow(name)
  return row?.type === 'LIST' ? (row.defaultText ?? '') : undefined
}

/** A broker appends to Kafka's own default; a setting for one listener starts empty. */
export const brokerListBase: ListBase = (name) =>
  listenerBaseKey(name) === null ? (brokerRow(name)?.defaultText ?? '') : ''

/** Groups and client metrics have no lists that can be appended to. */
export const noLists: ListBase = () => undefined

function changedList(before: string, operation: number, change: string): string {
  const entries = parts(before)
  const isAppend = operation === ALTER_OPERATIONS.APPEND
  const changes = isAppend && change === '' ? [''] : parts(change)
  if (!isAppend) return entries.filter((entry) => !changes.includes(entry)).join(',')
  for (const entry of changes) if (!entries.includes(entry)) entries.push(entry)
  return entries.join(',')
}

/** Carries out the operations without looking at what the values mean. */
export function applyOperations(
  current: ConfigTexts,
  operations: readonly AlterOperation[],
  listBase: ListBase,
): AlterResult {
  const values = new Map(current)
  for (const { name, operation, value } of operations) {
    switch (operation) {
      case ALTER_OPERATIONS.SET:
        values.set(name, value ?? '')
        break
      case ALTER_OPERATIONS.DELETE:
        values.delete(name)
        break
      case ALTER_OPERATIONS.APPEND:
      case ALTER_OPERATIONS.SUBTRACT: {
        const base = listBase(name)
        if (base === undefined) {
          const verb = operation === ALTER_OPERATIONS.APPEND ? 'APPEND' : 'SUBTRACT'
          return refuse(
            ErrorCode.INVALID_CONFIG,
            `Can't ${verb} to key ${name} because its type is not LIST.`,
          )
        }
        values.set(name, changedList(values.get(name) ?? base, operation, value ?? ''))
        break
      }
      default:
        // Kafka stumbles over an unknown operation instead of refusing it.
        return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, null)
    }
  }
  for (const value of values.values()) {
    if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      return refuse(
        ErrorCode.INVALID_CONFIG,
        'The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.',
      )
    }
  }
  return accept(values)
}
