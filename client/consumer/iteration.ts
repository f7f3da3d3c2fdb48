/**
 * `for await` over a consumer. Asking for the next value polls; the time in the loop's body counts towards
 * `max.poll.interval.ms`, and nothing is read ahead of the loop but what the consumer's own bounded queue holds.
 */
import type { ClientCore } from '../client-core.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { CallOptions } from '../timeouts.ts'
import { channels, type ProcessContext, Trace } from '../tracing/channels.ts'
import type { Message } from '../values/message.ts'
import { ConsumeError } from './consume-errors.ts'

type AnyMessage = Message<unknown, unknown>

export interface MessagesOptions {
  /** Ends the iteration with the signal's reason. */
  readonly signal?: AbortSignal
  /** Closes the consumer when the iteration ends, however it ends. */
  readonly closeOnEnd?: boolean
  /** Yields `_PARTITION_EOF` events too (with `enable.partition.eof`). */
  readonly partitionEof?: boolean
}

export interface BatchesOptions extends MessagesOptions {
  /** Default 500. */
  readonly maxMessages?: number
  /** How long to wait for a full batch once there is a message. Default 0. */
  readonly maxWaitMs?: number
}

/** What the iterations need of a consumer. */
export interface IterationSource<M extends AnyMessage> {
  readonly core: ClientCore
  readonly poll: (limits: CallOptions) => Promise<M | null>
  /** A message that `poll` would give at once; undefined when only `poll` can tell. */
  readonly tryPoll?: () => M | undefined
  readonly close: () => Promise<void>
}

/** Reading is not allowed, or makes no sense any more: the application has to do something. */
const endingCodes: ReadonlySet<number> = new Set([
  KafkaError.TOPIC_AUTHORIZATION_FAILED,
  KafkaError.GROUP_AUTHORIZATION_FAILED,
  KafkaError.CLUSTER_AUTHORIZATION_FAILED,
  KafkaError.SASL_AUTHENTICATION_FAILED,
  KafkaError._AUTHENTICATION,
])

/** Whether an error event ends reading by itself. */
export function endsReading(error: KafkaError): boolean {
  return error.fatal() || endingCodes.has(error.code())
}

export async function* iterateMessages<M extends AnyMessage>(
  source: IterationSource<M>,
  { signal, closeOnEnd = false, partitionEof = false }: MessagesOptions,
): AsyncGenerator<M, void, undefined> {
  const limits = signal === undefined ? {} : { signal }
  try {
    while (!source.core.isClosed) {
      const ready = signal?.aborted === true ? undefined : source.tryPoll?.()
      const message = ready ?? (await pollOrEvent(source, limits))
      if (message === null) return
      if (!isForTheBody(source.core, message, partitionEof)) continue
      const trace = beginProcess(source.core, [message])
      try {
        yield message
      } finally {
        trace?.succeeded()
      }
    }
  } finally {
    if (closeOnEnd) await source.close()
  }
}

export async function* iterateBatches<M extends AnyMessage>(
  source: IterationSource<M>,
  next: () => Promise<M[]>,
  { closeOnEnd = false, partitionEof = false }: BatchesOptions,
): AsyncGenerator<M[], void, undefined> {
  try {
    while (!source.core.isClosed) {
      const batch = await next()
      const first = batch[0]
      if (first === undefined) return
      if (!isForTheBody(source.core, first, partitionEof)) continue
      const trace = beginProcess(source.core, batch)
      try {
        yield batch
      } finally {
        trace?.succeeded()
      }
    }
  } finally {
    if (closeOnEnd) await source.close()
  }
}

/** A deserializing consumer throws its events: here they are events again. */
async function pollOrEvent<M extends AnyMessage>(
  source: IterationSource<M>,
  limits: CallOptions,
): Promise<M | null> {
  try {
    return await source.poll(limits)
  } catch (error) {
    const isEvent = error instanceof ConsumeError && error.kafkaMessage?.error() !== null
    if (!isEvent || error.kafkaMessage === null) throw error
    return error.kafkaMessage as M
  }
}

/** Throws what ends the iteration; tells what the application should hear of but can go on after. */
function isForTheBody(core: ClientCore, message: AnyMessage, wantsEof: boolean): boolean {
  const error = message.error()
  if (error === null) return true
  if (error.code() === KafkaError._PARTITION_EOF) return wantsEof
  if (endsReading(error)) throw new KafkaException(error)
  core.notifier.error(new KafkaException(error))
  return false
}

/** undefined without a subscriber of `kafka:process`. */
function beginProcess(core: ClientCore, messages: readonly AnyMessage[]): Trace | undefined {
  if (!channels.process.hasSubscribers) return undefined
  return Trace.begin(channels.process, () => processContext(core, messages))
}

function processContext(core: ClientCore, messages: readonly AnyMessage[]): ProcessContext {
  const [first] = messages
  const topic = first?.topic() ?? ''
  const partition = first?.partition() ?? -1
  const offset = first?.offset() ?? -1
  const clientId = core.config.get('client.id')
  const isOne = messages.length === 1
  return {
    operation: 'process',
    clientId,
    topic,
    partition,
    offset,
    messageCount: messages.length,
    headers: isOne ? (first?.headers() ?? null) : null,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': `${partition}`,
      'messaging.consumer.group.name': core.config.get('group.id') ?? '',
      'messaging.client.id': clientId,
      'messaging.kafka.offset': offset,
      ...(isOne ? {} : { 'messaging.batch.message_count': messages.length }),
    },
  }
}
