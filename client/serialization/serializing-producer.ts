/**
 * The documented SerializingProducer: a Producer whose `produce` takes objects. Key before value, in arguments and in order of
 * work; nothing is enqueued unless both could be serialized. The batch method is not wrapped.
 */
import type { ClientHooks } from '../client-hooks.ts'
import type { DeliveryCallback } from '../config/producer-properties.ts'
import type { ClientConfig } from '../config/table.ts'
import { MessageField } from '../constants.ts'
import { KeySerializationError, ValueSerializationError } from '../errors.ts'
import {
  type BytesInput,
  checkOptionNames,
  isOptions,
  type ProduceOptions,
} from '../producer/produce-arguments.ts'
import { Producer } from '../producer/producer.ts'
import type { HeadersInput } from '../values/headers.ts'
import {
  isPromise,
  SerializationContext,
  type Serializer,
  type SerializerFunction,
  serializerFunction,
} from './serializer.ts'

export interface SerializingConfig<K, V> extends Omit<ClientConfig, 'key.serializer' | 'value.serializer'> {
  readonly 'key.serializer'?: Serializer<K> | null | undefined
  readonly 'value.serializer'?: Serializer<V> | null | undefined
}

export interface SerializingProduceOptions<K, V> extends Omit<ProduceOptions, 'key' | 'value'> {
  readonly key?: K | null | undefined
  readonly value?: V | null | undefined
}

type Arguments<K, V> = readonly [
  keyOrOptions?: K | SerializingProduceOptions<K, V> | null,
  value?: V | null,
  partition?: number,
  onDelivery?: DeliveryCallback | null,
  timestamp?: number | bigint | Date,
  headers?: HeadersInput | null,
]

/** A Producer in everything but `produce`, whose arguments differ. */
const Base = Producer as unknown as new (
  conf?: ClientConfig,
  extra?: ClientConfig,
  hooks?: ClientHooks,
) => Omit<Producer, 'produce'>

export class SerializingProducer<K = BytesInput, V = BytesInput> extends Base {
  readonly #key: SerializerFunction<unknown> | undefined
  readonly #value: SerializerFunction<unknown> | undefined

  constructor(
    conf?: SerializingConfig<K, V>,
    extra?: Partial<SerializingConfig<K, V>>,
    hooks: ClientHooks = {},
  ) {
    const [key, value] = (['key.serializer', 'value.serializer'] as const).map((name) =>
      serializerFunction(name, extra?.[name] ?? conf?.[name]),
    )
    super(conf as ClientConfig | undefined, extra as ClientConfig | undefined, hooks)
    this.#key = key
    this.#value = value
  }

  /**
   * As `Producer.produce`, which it calls. A single plain object after the topic is the options; a key of that kind goes into
   * them, or in front of a value.
   * Throws KeySerializationError or ValueSerializationError when a serializer throws, or answers a promise.
   */
  produce(topic: string, options?: SerializingProduceOptions<K, V>): void
  produce(
    topic: string,
    key?: K | null,
    value?: V | null,
    partition?: number,
    onDelivery?: DeliveryCallback | null,
    timestamp?: number | bigint | Date,
    headers?: HeadersInput | null,
  ): void
  produce(topic: string, ...given: Arguments<K, V>): void {
    const { key, value, ...others } = optionsOf(given)
    const headers = others.headers ?? null
    const keyBytes = this.#serializeNow(key, topic, MessageField.KEY, headers)
    const valueBytes = this.#serializeNow(value, topic, MessageField.VALUE, headers)
    this.#enqueue(topic, { ...others, key: keyBytes, value: valueBytes })
  }

  /**
   * `produce` for serializers that answer promises (addition). Messages are enqueued as their serializers finish: only a call
   * that was awaited is surely in front of the next.
   */
  produceAsync(topic: string, options?: SerializingProduceOptions<K, V>): Promise<void>
  produceAsync(
    topic: string,
    key?: K | null,
    value?: V | null,
    partition?: number,
    onDelivery?: DeliveryCallback | null,
    timestamp?: number | bigint | Date,
    headers?: HeadersInput | null,
  ): Promise<void>
  async produceAsync(topic: string, ...given: Arguments<K, V>): Promise<void> {
    const { key, value, ...others } = optionsOf(given)
    const headers = others.headers ?? null
    const keyBytes = await this.#serialize(key, topic, MessageField.KEY, headers)
    const valueBytes = await this.#serialize(value, topic, MessageField.VALUE, headers)
    this.#enqueue(topic, { ...others, key: keyBytes, value: valueBytes })
  }

  #enqueue(topic: string, options: ProduceOptions): void {
    const produce = Producer.prototype.produce as (
      this: unknown,
      topic: string,
      options: ProduceOptions,
    ) => void
    produce.call(this, topic, options)
  }

  #serializeNow(
    object: unknown,
    topic: string,
    field: MessageField,
    headers: HeadersInput | null,
  ): BytesInput {
    const serializer = field === MessageField.KEY ? this.#key : this.#value
    if (serializer === undefined) return object as BytesInput
    let bytes: unknown
    try {
      bytes = serializer(object ?? null, new SerializationContext(topic, field, headers))
    } catch (error) {
      throw failure(field, error)
    }
    if (!isPromise(bytes)) return bytes as BytesInput
    Promise.resolve(bytes).catch(() => {})
    throw failure(field, new TypeError('the serializer answers promises: use produceAsync'))
  }

  async #serialize(
    object: unknown,
    topic: string,
    field: MessageField,
    headers: HeadersInput | null,
  ): Promise<BytesInput> {
    const serializer = field === MessageField.KEY ? this.#key : this.#value
    if (serializer === undefined) return object as BytesInput
    try {
      return await serializer(object ?? null, new SerializationContext(topic, field, headers))
    } catch (error) {
      throw failure(field, error)
    }
  }
}

function failure(field: MessageField, error: unknown): KeySerializationError | ValueSerializationError {
  return field === MessageField.KEY ? new KeySerializationError(error) : new ValueSerializationError(error)
}

function optionsOf<K, V>(given: Arguments<K, V>): SerializingProduceOptions<K, V> {
  const [first] = given
  if (given.length <= 1 && isOptions(first)) {
    checkOptionNames(first)
    return first as SerializingProduceOptions<K, V>
  }
  const [key, value, partition, onDelivery, timestamp, headers] = given
  return { key: key as K | null | undefined, value, partition, onDelivery, timestamp, headers }
}
