/** Properties of the consumers. */
import type { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import { boolean, callback, integer, list, object, text, word } from './property.ts'

const int32 = 2147483647
const side = 'consumer'

export const consumerProperties = {
  'group.id': text({ side }),
  'group.instance.id': text({ side }),
  'group.protocol': word(['classic', 'consumer'], 'classic', { side }),
  'group.remote.assignor': text({ side }),
  'partition.assignment.strategy': list(['range', 'roundrobin'], { side }),
  'session.timeout.ms': integer(1, 3600000, 45000, { side }),
  'heartbeat.interval.ms': integer(1, 3600000, 3000, { side }),
  'group.protocol.type': text({ side, default: 'consumer' }),
  'coordinator.query.interval.ms': integer(1, 3600000, 600000, { side }),
  'max.poll.interval.ms': integer(1, 86400000, 300000, { side }),
  'enable.auto.commit': boolean(true, { side }),
  'auto.commit.interval.ms': integer(0, 86400000, 5000, { side }),
  'enable.auto.offset.store': boolean(true, { side }),
  'auto.offset.reset': word(
    [['earliest', 'smallest', 'beginning'], ['latest', 'largest', 'end'], 'error'],
    'latest',
    // KIP-1106: by_duration and an ISO 8601 duration.
    { side, pattern: /^by_duration:P(?=.*\d[DHMS]$)(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/ },
  ),
  'isolation.level': word(['read_uncommitted', 'read_committed'], 'read_committed', { side }),
  'enable.partition.eof': boolean(false, { side }),
  'check.crcs': boolean(false, { side }),
  'queued.min.messages': integer(1, 10000000, 100000, { side }),
  'queued.max.messages.kbytes': integer(1, 2097151, 65536, { side }),
  'fetch.wait.max.ms': integer(0, 300000, 500, { side }),
  'fetch.min.bytes': integer(0, 100000000, 1, { side }),
  'fetch.max.bytes': integer(0, 2147483135, 52428800, { side }),
  'fetch.message.max.bytes': integer(1, 1000000000, 1048576, {
    side,
    aliases: ['max.partition.fetch.bytes'],
  }),
  'fetch.queue.backoff.ms': integer(0, 300000, 1000, { side }),
  'fetch.error.backoff.ms': integer(0, 300000, 500, { side }),
  'max.poll.records': integer(1, int32, 500, { side }),
  'share.acknowledgement.mode': word(['implicit', 'explicit'], 'implicit', { side }),
  on_commit: callback<(error: KafkaError | null, partitions: TopicPartition[]) => void>(side),
  'key.deserializer': object<unknown>(side),
  'value.deserializer': object<unknown>(side),
} as const
