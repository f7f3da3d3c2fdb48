/** What those who trace hear of a message: it begins with `produce` and ends with the report (`kafka:produce`). */
import { channels, type ProduceContext, Trace } from '../tracing/channels.ts'
import type { ProduceRecord } from './accumulator.ts'

/** undefined while nobody listens. */
export function traceProduce(clientId: string, topic: string, record: ProduceRecord): Trace | undefined {
  return Trace.begin(channels.produce, () => produceContext(clientId, topic, record))
}

function produceContext(
  clientId: string,
  topic: string,
  { key, value, partition }: ProduceRecord,
): ProduceContext {
  return {
    operation: 'produce',
    clientId,
    topic,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'produce',
      'messaging.destination.name': topic,
      'messaging.client.id': clientId,
      'messaging.message.body.size': value?.length ?? 0,
      ...(partition < 0 ? {} : { 'messaging.destination.partition.id': `${partition}` }),
      ...(key === null ? {} : { 'messaging.kafka.message.key': key.toString() }),
      ...(value === null ? { 'messaging.kafka.message.tombstone': true } : {}),
    },
  }
}
