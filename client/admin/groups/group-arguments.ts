/** Checks and words that the calls about groups share. */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { CoordinatorType } from '../../connections/coordinator.ts'
import { ConsumerGroupState, ConsumerGroupType } from '../../constants.ts'
import { KafkaError, KafkaException, kafkaException, ValueError } from '../../errors.ts'
import type { Target } from '../broker-finder.ts'

export function coordinatorOf(groupId: string): Target {
  return { kind: 'coordinator', type: CoordinatorType.group, key: groupId }
}

/** TypeError when it is not a list of strings, ValueError when it is empty. */
export function groupIdsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((groupId) => typeof groupId === 'string')) {
    throw new TypeError('groupIds must be a list of strings')
  }
  if (value.length === 0) throw new ValueError('groupIds must be a list with entries')
  return [...value]
}

/** TypeError when it is not a string, ValueError when it is empty. */
export function groupIdOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('groupId must be a string')
  if (value === '') throw new ValueError('groupId must not be empty')
  return value
}

/** For the calls that refuse what is named twice (inside their results). */
export function refuseDuplicates(groupIds: readonly string[]): void {
  if (new Set(groupIds).size !== groupIds.length) {
    throw kafkaException(KafkaError._INVALID_ARG, 'A group is named twice')
  }
}

/** Names on the wire, by number. */
const stateNames: Readonly<Record<ConsumerGroupState, string>> = {
  [ConsumerGroupState.UNKNOWN]: 'Unknown',
  [ConsumerGroupState.PREPARING_REBALANCING]: 'PreparingRebalance',
  [ConsumerGroupState.COMPLETING_REBALANCING]: 'CompletingRebalance',
  [ConsumerGroupState.STABLE]: 'Stable',
  [ConsumerGroupState.DEAD]: 'Dead',
  [ConsumerGroupState.EMPTY]: 'Empty',
  [ConsumerGroupState.ASSIGNING]: 'Assigning',
  [ConsumerGroupState.RECONCILING]: 'Reconciling',
}
const typeNames: Readonly<Record<ConsumerGroupType, string>> = {
  [ConsumerGroupType.UNKNOWN]: 'Unknown',
  [ConsumerGroupType.CONSUMER]: 'Consumer',
  [ConsumerGroupType.CLASSIC]: 'Classic',
}

/** UNKNOWN for words that have no member. */
export function groupStateOf(name: string): ConsumerGroupState {
  return numberOf(stateNames, name) as ConsumerGroupState
}

/** UNKNOWN for words that have no member. */
export function groupTypeOf(name: string): ConsumerGroupType {
  return numberOf(typeNames, name) as ConsumerGroupType
}

export function groupStateName(state: ConsumerGroupState): string {
  return stateNames[state]
}

export function groupTypeName(type: ConsumerGroupType): string {
  return typeNames[type]
}

/** Throws the broker's error, if it is one. */
export function throwCode(errorCode: number, errorMessage?: string | null): void {
  if (errorCode === ErrorCode.NONE) return
  throw new KafkaException(new KafkaError(errorCode, errorMessage || undefined))
}

function numberOf(names: Readonly<Record<number, string>>, name: string): number {
  const wanted = name.toLowerCase()
  const found = Object.entries(names).find(([, known]) => known.toLowerCase() === wanted)
  return found === undefined ? 0 : Number(found[0])
}
