/** The forms in which `send` takes messages and gives its answers. */
import { ValueError } from '../errors.ts'
import type { Message } from '../values/message.ts'
import { checkOptionNames, type ProduceOptions } from './produce-arguments.ts'

/** What `send` resolves to: the delivered message, with its place. */
export type DeliveryReport = Message

/** A message of `send`: its fate is the promise's, so it has no callback. */
export type SendOptions = Omit<ProduceOptions, 'onDelivery' | 'callback'>

export interface SendCallOptions {
  readonly signal?: AbortSignal
}

/** Messages of one topic, as kafkajs takes them. */
export interface TopicMessages {
  readonly topic: string
  readonly messages: readonly SendOptions[]
}

export interface SendRequest extends TopicMessages {
  /** `acks` of the producer; another value is refused, since batches are shared. */
  readonly acks?: number
  /** `request.timeout.ms` of the producer; as with `acks`. */
  readonly timeout?: number
}

/** What a broker said of one partition, as kafkajs tells it. */
export interface RecordMetadata {
  readonly topicName: string
  readonly partition: number
  readonly errorCode: number
  /** Of the first of these messages; `-1` when the broker does not tell. */
  readonly baseOffset: string
  readonly logAppendTime: string
  readonly logStartOffset: string
}

const sendNames: ReadonlySet<string> = new Set([
  'value',
  'key',
  'partition',
  'timestamp',
  'headers',
  'opaque',
])

/**
 * TypeError for anything that is not a message.
 * @param index its place in an array
 */
export function checkMessage(message: unknown, index?: number): asserts message is SendOptions {
  const isObject = typeof message === 'object' && message !== null && !Array.isArray(message)
  if (!isObject || message instanceof Uint8Array) {
    throw new TypeError(`${index === undefined ? 'message' : `messages[${index}]`} must be an object`)
  }
  checkOptionNames(message, isSendOption)
}

function isSendOption(name: string): boolean {
  return sendNames.has(name)
}

export function checkTopicMessages(entry: TopicMessages): void {
  if (typeof entry !== 'object' || entry === null) throw new TypeError('{ topic, messages } is needed')
  if (typeof entry.topic !== 'string') throw new TypeError('topic must be a string')
  if (!Array.isArray(entry.messages)) throw new TypeError('messages must be an array')
  const { messages } = entry
  for (let index = 0; index < messages.length; index++) checkMessage(messages[index], index)
}

/** ValueError for what only another producer could do. */
export function checkSame(name: string, given: number | undefined, own: number): void {
  if (given === undefined || given === own) return
  throw new ValueError(`${name} is ${own} for all messages of this producer, not ${given}`)
}
