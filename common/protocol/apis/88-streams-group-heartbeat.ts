import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int8,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uint16,
} from '../schema.ts'

const keyValue = {
  key: string('0+'),
  value: string('0+'),
}

const topicInfo = {
  name: string('0+', { entity: 'topicName' }),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', keyValue),
}

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', int32),
}

const endpoint = {
  host: string('0+'),
  port: uint16('0+'),
}

const taskOffset = {
  subtopologyId: string('0+'),
  partition: int32('0+'),
  offset: int64('0+'),
}

const status = {
  statusCode: int8('0+'),
  statusDetail: string('0+'),
}

const topicPartition = {
  topic: string('0+', { entity: 'topicName' }),
  partitions: arrayOf('0+', int32),
}

export const StreamsGroupHeartbeat = defineApi({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  kips: [1331],
  request: {
    groupId: string('0+', { entity: 'groupId' }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    endpointInformationEpoch: int32('0+'),
    instanceId: string('0+', { nullable: '0+', default: null }),
    rackId: string('0+', { nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topology: struct(
      '0+',
      {
        epoch: int32('0+'),
        subtopologies: array('0+', {
          subtopologyId: string('0+'),
          sourceTopics: arrayOf('0+', string, { entity: 'topicName' }),
          sourceTopicRegex: arrayOf('0+', string),
          stateChangelogTopics: array('0+', topicInfo),
          repartitionSinkTopics: arrayOf('0+', string, { entity: 'topicName' }),
          repartitionSourceTopics: array('0+', topicInfo),
          copartitionGroups: array('0+', {
            sourceTopics: arrayOf('0+', int16),
            sourceTopicRegex: arrayOf('0+', int16),
            repartitionSourceTopics: arrayOf('0+', int16),
          }),
        }),
      },
      { nullable: '0+', default: null },
    ),
    activeTasks: array('0+', taskIds, { nullable: '0+', default: null }),
    standbyTasks: array('0+', taskIds, { nullable: '0+', default: null }),
    warmupTasks: array('0+', taskIds, { nullable: '0+', default: null }),
    processId: string('0+', { nullable: '0+', default: null }),
    userEndpoint: struct('0+', endpoint, { nullable: '0+', default: null }),
    clientTags: array('0+', keyValue, { nullable: '0+', default: null }),
    taskOffsets: array('0+', taskOffset, { nullable: '0+', default: null }),
    taskEndOffsets: array('0+', taskOffset, { nullable: '0+', default: null }),
    shutdownApplication: bool('0+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    acceptableRecoveryLagLegacy: int32('0', { default: 0 }),
    taskOffsetIntervalMs: int32('0+'),
    acceptableRecoveryLag: int64('1+', { default: -1, ignorable: true }),
    status: array('0+', status, { nullable: '0+' }),
    activeTasks: array('0+', taskIds, { nullable: '0+', default: null }),
    standbyTasks: array('0+', taskIds, { nullable: '0+', default: null }),
    warmupTasks: array('0+', taskIds, { nullable: '0+', default: null }),
    topologyDescriptionRequired: bool('1+', { default: false }),
    endpointInformationEpoch: int32('0+'),
    partitionsByUserEndpoint: array(
      '0+',
      {
        userEndpoint: struct('0+', endpoint),
        activePartitions: array('0+', topicPartition),
        standbyPartitions: array('0+', topicPartition),
      },
      { nullable: '0+', default: null },
    ),
  },
})

export type StreamsGroupHeartbeatRequest = RequestOf<typeof StreamsGroupHeartbeat>
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof StreamsGroupHeartbeat>
