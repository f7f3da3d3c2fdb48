import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { MetadataDelta } from '../../../../broker/metadata/image.ts'
import { MetadataLoader } from '../../../../broker/metadata/loader.ts'
import { METADATA_FORMAT } from '../../../../broker/metadata/metadata-format.ts'
import { type MetadataRecord, metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import { BatchView } from '../../../../common/record/batch.ts'
import { TraceBus } from '../../../../common/runtime/trace-bus.ts'

const KAFKA_LOG = readFileSync(new URL('./data/kafka-4.3.1-cluster-metadata.log', import.meta.url))

function newLoader() {
  const deltas: MetadataDelta[] = []
  const loader = new MetadataLoader({ trace: new TraceBus(), name: 'metadata of broker 1' })
  loader.listen({ onMetadata: (_, delta) => deltas.push(delta) })
  return { loader, deltas }
}

function batchAt(baseOffset: number, records: readonly MetadataRecord[]): Buffer {
  const batch = METADATA_FORMAT.encodeBatch(records, {
    timestampMs: 1000,
    leaderEpoch: 1,
    producer: undefined,
  })
  new BatchView(batch).stamp(baseOffset, 1)
  return batch
}

const topic = (name: string, topicId: string) => metadataRecord('TopicRecord', 0, { name, topicId })
const ID = 'AAAAAAAAAAAAAAAAAAAAZA'

describe('the metadata loader', () => {
  it('reads the metadata log of a Kafka cluster: its topics, partitions, configs and features', () => {
    const { loader, deltas } = newLoader()
    loader.feed(KAFKA_LOG)
    const { image } = loader
    expect([...image.topicsByName.keys()].sort()).toEqual([
      '__consumer_offsets',
      '__transaction_state',
      'codecs',
      'compacted',
      'logappend',
      'plain',
      'rolled',
      'txn',
    ])
    expect(image.topicsByName.get('codecs')?.partitions).toHaveLength(5)
    expect(image.topicsByName.get('plain')?.id).toBe('BambFgFWReejGuQxxsZhaQ')
    expect(Object.fromEntries(image.configsOf(2, 'compacted'))).toEqual({
      'cleanup.policy': 'compact',
      'segment.ms': '500',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '60000',
    })
    expect(Object.fromEntries(image.configsOf(4, ''))).toEqual({ 'min.insync.replicas': '1' })
    expect(Object.fromEntries(image.features)).toEqual({
      'metadata.version': 30,
      'eligible.leader.replicas.version': 1,
      'group.version': 1,
      'share.version': 1,
      'streams.version': 1,
      'transaction.version': 2,
    })
    expect(image.nextProducerId).toBe(1000)
    expect(deltas).toHaveLength(1)
    expect(deltas[0]?.changedTopics.size).toBe(8)
  })

  it('sees the broker of a cleanly stopped cluster fenced, and its partitions without leader but with an eligible one', () => {
    const { loader } = newLoader()
    loader.feed(KAFKA_LOG)
    expect(loader.image.brokers.get(1)).toMatchObject({ isFenced: true, inControlledShutdown: true })
    expect(loader.image.topicsByName.get('plain')?.partitions[0]).toMatchObject({
      leaderId: -1,
      leaderEpoch: 1,
      partitionEpoch: 1,
      isr: [],
      elr: [1],
      lastKnownElr: [1],
    })
  })

  it('counts each offset once, however often its batch is fed', () => {
    const { loader, deltas } = newLoader()
    const batch = batchAt(0, [topic('orders', ID)])
    loader.feed(batch)
    loader.feed(batch)
    expect(deltas).toHaveLength(1)
    expect(loader.nextOffset).toBe(1)
  })

  it('shows the records of a metadata transaction only when it ends, and never those of an aborted one', () => {
    const { loader } = newLoader()
    const begin = metadataRecord('BeginTransactionRecord', 0, { name: 'test' })
    loader.feed(batchAt(0, [begin, topic('orders', ID)]))
    expect(loader.image.topicsByName.size).toBe(0)
    loader.feed(batchAt(2, [metadataRecord('EndTransactionRecord', 0, {})]))
    expect([...loader.image.topicsByName.keys()]).toEqual(['orders'])
    loader.feed(batchAt(3, [begin, metadataRecord('RemoveTopicRecord', 0, { topicId: ID })]))
    loader.feed(batchAt(5, [metadataRecord('AbortTransactionRecord', 0, { reason: 'test' })]))
    expect([...loader.image.topicsByName.keys()]).toEqual(['orders'])
  })

  it('passes over record types of the future and says so', () => {
    const trace = new TraceBus()
    const warnings: string[] = []
    trace.listen((event) => warnings.push(event.message), 'warn')
    const loader = new MetadataLoader({ trace, name: 'metadata of broker 1' })
    const future = metadataRecord('TopicRecord', 0, { name: 'orders', topicId: ID })
    const batch = batchAt(0, [future])
    // The record type stands after the batch header, the record's own header and the frame version.
    batch[batch.indexOf(Buffer.from([1, 2, 0, 7]), 61) + 1] = 99
    loader.feed(batch)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('type 99')
    expect(loader.nextOffset).toBe(1)
  })

  it('gives a listener that comes late everything as new', () => {
    const { loader } = newLoader()
    loader.feed(KAFKA_LOG)
    const changed: number[] = []
    loader.listen({ onMetadata: (_, delta) => changed.push(delta.changedTopics.size) })
    expect(changed).toEqual([8])
  })
})
