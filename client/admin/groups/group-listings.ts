/** `listConsumerGroups` and its kin: every broker is asked for the groups that it coordinates. */
import { ListGroups } from '../../../common/protocol/apis/16-list-groups.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ResponseOf } from '../../../common/protocol/schema.ts'
import { ConsumerGroupState, ConsumerGroupType } from '../../constants.ts'
import { KafkaError, KafkaException, kafkaException } from '../../errors.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader } from '../admin-options.ts'
import { askEveryBroker } from '../every-broker.ts'
import { groupStateName, groupStateOf, groupTypeName, groupTypeOf } from './group-arguments.ts'

export interface ListConsumerGroupsOptions extends AdminOptions {
  /** Only groups in these states. */
  readonly states?: ReadonlySet<ConsumerGroupState> | readonly ConsumerGroupState[]
  /** Only groups of these types. */
  readonly types?: ReadonlySet<ConsumerGroupType> | readonly ConsumerGroupType[]
}

export interface ConsumerGroupListing {
  readonly groupId: string
  /** Only commits offsets, and has no members. */
  readonly isSimpleConsumerGroup: boolean
  readonly state: ConsumerGroupState
  readonly type: ConsumerGroupType
}

export interface ListConsumerGroupsResult {
  readonly valid: readonly ConsumerGroupListing[]
  /** Of the brokers that did not tell. */
  readonly errors: readonly KafkaException[]
}

export interface ShareGroupListing {
  readonly groupId: string
  /** As the broker names it: `Stable`, `Empty`, `Dead`. */
  readonly state: string
}

export interface ListShareGroupsResult {
  readonly valid: readonly ShareGroupListing[]
  readonly errors: readonly KafkaException[]
}

type Group = ResponseOf<typeof ListGroups>['groups'][number]

export async function listConsumerGroups(
  engine: AdminEngine,
  options?: ListConsumerGroupsOptions,
): Promise<ListConsumerGroupsResult> {
  const reader = new OptionReader(options)
  const states = membersOf(reader.raw('states'), ConsumerGroupState, 'states')
  const types = membersOf(reader.raw('types'), ConsumerGroupType, 'types')
  if (types.includes(ConsumerGroupType.UNKNOWN)) {
    throw kafkaException(KafkaError._INVALID_ARG, 'UNKNOWN is no type to ask for')
  }
  return await engine.single(reader.limits(), async (call) => {
    const { groups, errors } = await listAll(call, states.map(groupStateName), types.map(groupTypeName))
    const valid = groups
      .filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '')
      .map(({ groupId, protocolType, groupState, groupType }) => ({
        groupId,
        isSimpleConsumerGroup: protocolType === '',
        state: groupStateOf(groupState),
        type: groupTypeOf(groupType),
      }))
    return { valid, errors }
  })
}

/** Share groups (KIP-932); an addition. */
export async function listShareGroups(
  engine: AdminEngine,
  options?: AdminOptions,
): Promise<ListShareGroupsResult> {
  return await engine.single(new OptionReader(options).limits(), async (call) => {
    const { groups, errors } = await listAll(call, [], ['Share'])
    return { valid: groups.map(({ groupId, groupState }) => ({ groupId, state: groupState })), errors }
  })
}

async function listAll(
  call: AdminCall,
  statesFilter: string[],
  typesFilter: string[],
): Promise<{ groups: Group[]; errors: KafkaException[] }> {
  const { answers, errors } = await askEveryBroker(call, {
    api: ListGroups,
    // Older brokers would not filter, and could not be filtered here.
    minVersion: typesFilter.length > 0 ? 5 : statesFilter.length > 0 ? 4 : 0,
    body: (version) => ({
      ...(version >= 4 ? { statesFilter } : {}),
      ...(version >= 5 ? { typesFilter } : {}),
    }),
    codesOf: ({ errorCode }) => [errorCode],
    retryOn: new Set([ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.COORDINATOR_NOT_AVAILABLE]),
  })
  const refused = answers.filter(({ response }) => response.errorCode !== ErrorCode.NONE)
  return {
    groups: answers.flatMap(({ response }) => response.groups),
    errors: [
      ...errors,
      ...refused.map(({ response }) => new KafkaException(new KafkaError(response.errorCode))),
    ],
  }
}

/** TypeError unless it is a set, or list, of members; `_INVALID_ARG` for what a list names twice. */
function membersOf<T extends number>(
  given: unknown,
  members: Readonly<Record<string, T>>,
  name: string,
): readonly T[] {
  if (given === undefined) return []
  if (!(given instanceof Set) && !Array.isArray(given)) throw new TypeError(`${name} must be a set`)
  const list: readonly T[] = [...given]
  const known = new Set(Object.values(members))
  if (!list.every((member) => known.has(member))) {
    throw new TypeError(`${name} must have members of the enumeration`)
  }
  if (new Set(list).size !== list.length) {
    throw kafkaException(KafkaError._INVALID_ARG, `${name} names something twice`)
  }
  return list
}
