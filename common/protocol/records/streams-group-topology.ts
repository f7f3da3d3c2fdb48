import { array, arrayOf, defineRecord, int16, int32, type RecordOf, string } from '../schema.ts'

const topicConfig = {
  key: string('0+'),
  value: string('0+'),
}

const topicInfo = {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', topicConfig),
}

export const StreamsGroupTopologyKey = defineRecord({
  name: 'StreamsGroupTopologyKey',
  kind: 'coordinator-key',
  type: 23,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
  },
})

export type StreamsGroupTopologyKey = RecordOf<typeof StreamsGroupTopologyKey>

export const StreamsGroupTopologyValue = defineRecord({
  name: 'StreamsGroupTopologyValue',
  kind: 'coordinator-value',
  type: 23,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: int32('0+'),
    subtopologies: array('0+', {
      subtopologyId: string('0+'),
      sourceTopics: arrayOf('0+', string),
      sourceTopicRegex: arrayOf('0+', string),
      stateChangelogTopics: array('0+', topicInfo),
      repartitionSinkTopics: arrayOf('0+', string),
      repartitionSourceTopics: array('0+', topicInfo),
      copartitionGroups: array('0+', {
        sourceTopics: arrayOf('0+', int16),
        sourceTopicRegex: arrayOf('0+', int16),
        repartitionSourceTopics: arrayOf('0+', int16),
      }),
    }),
  },
})

export type StreamsGroupTopologyValue = RecordOf<typeof StreamsGroupTopologyValue>
