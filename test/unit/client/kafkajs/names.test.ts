import theirs from 'kafkajs'
import { expect, it } from 'vitest'
import * as ours from '../../../../client/kafkajs/index.ts'

it('programs of kafkajs find every value that they import, but for its assignor protocol and errors that never come', () => {
  const lacking = Object.keys(theirs).filter((name) => !(name in ours))
  expect(lacking.filter((name) => !name.startsWith('KafkaJS'))).toEqual(['AssignerProtocol'])
  for (const name of ['KafkaJSError', 'KafkaJSProtocolError', 'KafkaJSNumberOfRetriesExceeded'])
    expect(lacking).not.toContain(name)
})

it('a program of kafkajs may register codecs and name its assignor, and both are as they are here anyway', () => {
  ours.CompressionCodecs[ours.CompressionTypes.Snappy] = () => null
  const config: ours.ConsumerConfig = {
    groupId: 'g',
    partitionAssigners: [ours.PartitionAssigners.roundRobin],
  }
  expect(() => new ours.Kafka({ brokers: ['a:1'] }).consumer(config)).not.toThrow()
  delete ours.CompressionCodecs[ours.CompressionTypes.Snappy]
})
