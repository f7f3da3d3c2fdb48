/**
 * `describeConsumerGroups`: members and their partitions. A group is asked for as one of KIP-848 first, then as a classic one:
 * nobody but its coordinator knows which it is.
 */
import { DescribeGroups } from '../../../common/protocol/apis/15-describe-groups.ts'
import { ConsumerGroupDescribe } from '../../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ResponseOf } from '../../../common/protocol/schema.ts'
import type { Broker } from '../../connections/broker.ts'
import { type AclOperation, type ConsumerGroupState, ConsumerGroupType } from '../../constants.ts'
import { decodeAssignment } from '../../consumer/classic-protocol.ts'
import { KafkaError, KafkaException, kafkaException } from '../../errors.ts'
import { Node } from '../../values/cluster-metadata.ts'
import { TopicPartition } from '../../values/topic-partition.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, type AuthorizedOptions, OptionReader } from '../admin-options.ts'
import { authorizedOperations } from '../authorized-operations.ts'
import type { ResultMap } from '../keyed-map.ts'
import { coordinatorOf, groupIdsOf, groupStateOf, refuseDuplicates, throwCode } from './group-arguments.ts'

export interface MemberAssignment {
  readonly topicPartitions: readonly TopicPartition[]
}

export interface MemberDescription {
  readonly memberId: string
  readonly clientId: string
  readonly host: string
  readonly assignment: MemberAssignment
  /** Of static members. */
  readonly groupInstanceId: string | null
  /** What the member is to have; null in classic groups. */
  readonly targetAssignment: MemberAssignment | null
}

export interface ConsumerGroupDescription {
  readonly groupId: string
  /** Only commits offsets, and has no members. */
  readonly isSimpleConsumerGroup: boolean
  readonly members: readonly MemberDescription[]
  /** Empty while there is none. */
  readonly partitionAssignor: string
  readonly state: ConsumerGroupState
  readonly type: ConsumerGroupType
  readonly coordinator: Node
  /** null when they were not asked for. */
  readonly authorizedOperations: readonly AclOperation[] | null
}

type Assignment = ResponseOf<typeof ConsumerGroupDescribe>['groups'][number]['members'][number]['assignment']

/** Groups that are named twice are refused with `_INVALID_ARG`. */
export function describeConsumerGroups(
  engine: AdminEngine,
  groupIds: readonly string[],
  options?: AdminOptions & AuthorizedOptions,
): ResultMap<string, ConsumerGroupDescription> {
  const ids = groupIdsOf(groupIds)
  const reader = new OptionReader(options)
  const withOperations = reader.flag('includeAuthorizedOperations')
  return engine.keyed<string, ConsumerGroupDescription>(ids, reader.limits(), async (call, results) => {
    refuseDuplicates(ids)
    await results.each(async (groupId) => {
      const description = await describeConsumer(call, groupId, withOperations)
      return description ?? (await describeClassic(call, groupId, withOperations))
    })
  })
}

/** undefined when it is not such a group, or the broker has none. */
async function describeConsumer(
  call: AdminCall,
  groupId: string,
  includeAuthorizedOperations: boolean,
): Promise<ConsumerGroupDescription | undefined> {
  const asked = call.ask(coordinatorOf(groupId), {
    api: ConsumerGroupDescribe,
    body: { groupIds: [groupId], includeAuthorizedOperations },
    codesOf: ({ groups }) => groups.map(({ errorCode }) => errorCode),
  })
  const answer = await asked.catch((error: unknown) => {
    const isUnsupported =
      error instanceof KafkaException && error.error.code() === KafkaError._UNSUPPORTED_FEATURE
    if (!isUnsupported) throw error
  })
  const group = answer?.response.groups[0]
  if (answer === undefined || group === undefined) return undefined
  const isAnother =
    group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND || group.errorCode === ErrorCode.UNSUPPORTED_VERSION
  if (isAnother) return undefined
  throwCode(group.errorCode, group.errorMessage)
  return {
    groupId,
    isSimpleConsumerGroup: false,
    members: group.members.map(
      ({ memberId, clientId, clientHost, instanceId, assignment, targetAssignment }) => ({
        memberId,
        clientId,
        host: clientHost,
        groupInstanceId: instanceId,
        assignment: assignmentOf(assignment),
        targetAssignment: assignmentOf(targetAssignment),
      }),
    ),
    partitionAssignor: group.assignorName,
    state: groupStateOf(group.groupState),
    type: ConsumerGroupType.CONSUMER,
    coordinator: nodeOf(answer.broker),
    authorizedOperations: authorizedOperations(group.authorizedOperations),
  }
}

async function describeClassic(
  call: AdminCall,
  groupId: string,
  withOperations: boolean,
): Promise<ConsumerGroupDescription> {
  const { response, broker } = await call.ask(coordinatorOf(groupId), {
    api: DescribeGroups,
    body: (version) => ({
      groups: [groupId],
      ...(version >= 3 ? { includeAuthorizedOperations: withOperations } : {}),
    }),
    codesOf: ({ groups }) => groups.map(({ errorCode }) => errorCode),
  })
  const [group] = response.groups
  if (group === undefined) throw kafkaException(KafkaError._BAD_MSG, 'The answer has no such entry')
  throwCode(group.errorCode, group.errorMessage)
  const { protocolType } = group
  if (protocolType !== '' && protocolType !== 'consumer') {
    throw kafkaException(KafkaError._INVALID_ARG, `${groupId} is not a consumer group (${protocolType})`)
  }
  return {
    groupId,
    isSimpleConsumerGroup: protocolType === '',
    members: group.members.map(({ memberId, clientId, clientHost, groupInstanceId, memberAssignment }) => ({
      memberId,
      clientId,
      host: clientHost,
      groupInstanceId,
      assignment: { topicPartitions: partitionsIn(memberAssignment) },
      targetAssignment: null,
    })),
    partitionAssignor: group.protocolData,
    state: groupStateOf(group.groupState),
    type: ConsumerGroupType.CLASSIC,
    coordinator: nodeOf(broker),
    authorizedOperations: authorizedOperations(group.authorizedOperations),
  }
}

export function nodeOf(broker: Broker): Node {
  return new Node(broker.nodeId, broker.address.host, broker.address.port, broker.rack)
}

function assignmentOf({ topicPartitions }: Assignment): MemberAssignment {
  return {
    topicPartitions: topicPartitions
      .flatMap(({ topicName, partitions }) => partitions.map((id) => new TopicPartition(topicName, id)))
      .sort(TopicPartition.compare),
  }
}

/** Members write these bytes; the broker does not look into them. */
function partitionsIn(bytes: Buffer): TopicPartition[] {
  try {
    return decodeAssignment(bytes)
  } catch {
    throw kafkaException(KafkaError._BAD_MSG, 'An assignment cannot be read')
  }
}
