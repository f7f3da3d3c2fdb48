/** Properties of the producer. */
import type { KafkaError } from '../errors.ts'
import type { Message } from '../values/message.ts'
import { boolean, callback, decimal, integer, object, text, word, wordOrFunction } from './property.ts'

const int32 = 2147483647
const side = 'producer'

export type DeliveryCallback = (error: KafkaError | null, message: Message) => void

/** Answers a partition below `partitionCount`. `availableIds` are those that have a leader. */
export type PartitionerFunction = (
  topic: string,
  key: Buffer | null,
  partitionCount: number,
  availableIds: readonly number[],
) => number

const partitionerNames = [
  'consistent_random',
  'consistent',
  'murmur2_random',
  'murmur2',
  'fnv1a_random',
  'fnv1a',
  'random',
] as const
export type PartitionerName = (typeof partitionerNames)[number]

export const producerProperties = {
  acks: integer(-1, 1000, -1, { side, aliases: ['request.required.acks'], named: { all: -1 } }),
  'request.timeout.ms': integer(1, 900000, 30000, { side }),
  'delivery.timeout.ms': integer(0, int32, 300000, { side, aliases: ['message.timeout.ms'] }),
  retries: integer(0, int32, int32, { side, aliases: ['message.send.max.retries'] }),
  'linger.ms': decimal(0, 900000, 5, { side, aliases: ['queue.buffering.max.ms'] }),
  'batch.num.messages': integer(1, 1000000, 10000, { side }),
  'batch.size': integer(1, int32, 1000000, { side }),
  'queue.buffering.max.messages': integer(0, int32, 100000, { side }),
  'queue.buffering.max.kbytes': integer(1, int32, 1048576, { side }),
  'compression.codec': word(['none', 'gzip', 'snappy', 'lz4', 'zstd', 'inherit'], 'none', {
    side,
    aliases: ['compression.type'],
  }),
  'compression.level': integer(-1, 12, -1, { side }),
  partitioner: wordOrFunction<PartitionerFunction, typeof partitionerNames>(
    partitionerNames,
    'consistent_random',
    side,
  ),
  'sticky.partitioning.linger.ms': decimal(0, 900000, 10, { side }),
  'enable.idempotence': boolean(false, { side }),
  'enable.gapless.guarantee': boolean(false, { side }),
  'transactional.id': text({ side }),
  'transaction.timeout.ms': integer(1000, int32, 60000, { side }),
  'delivery.report.only.error': boolean(false, { side }),
  'queuing.strategy': word(['fifo', 'lifo'], 'fifo', { side }),
  'queue.buffering.backpressure.threshold': integer(1, 1000000, 1, { side }),
  on_delivery: callback<DeliveryCallback>(side),
  'key.serializer': object<unknown>(side),
  'value.serializer': object<unknown>(side),
} as const
