import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int8,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
} from '../schema.ts'

const topologyDescriptionNode = {
  name: string('0+'),
  nodeType: int8('0+'),
  sourceTopics: arrayOf('0+', string, { entity: 'topicName' }),
  sinkTopic: string('0+', { nullable: '0+', default: null, entity: 'topicName' }),
  stores: arrayOf('0+', string),
  successors: arrayOf('0+', string),
}

const topologyDescriptionSubtopology = {
  subtopologyId: string('0+'),
  nodes: array('0+', topologyDescriptionNode),
}

const topologyDescriptionGlobalStore = {
  source: struct('0+', topologyDescriptionNode),
  processor: struct('0+', topologyDescriptionNode),
}

const topologyDescription = {
  subtopologies: array('0+', topologyDescriptionSubtopology),
  globalStores: array('0+', topologyDescriptionGlobalStore),
}

export const StreamsGroupTopologyDescriptionUpdate = defineApi({
  key: 93,
  name: 'StreamsGroupTopologyDescriptionUpdate',
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string('0+', { entity: 'groupId' }),
    memberId: string('0+'),
    topologyEpoch: int32('0+'),
    topologyDescription: struct('0+', topologyDescription),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
  },
})

export type StreamsGroupTopologyDescriptionUpdateRequest = RequestOf<
  typeof StreamsGroupTopologyDescriptionUpdate
>
export type StreamsGroupTopologyDescriptionUpdateResponse = ResponseOf<
  typeof StreamsGroupTopologyDescriptionUpdate
>
