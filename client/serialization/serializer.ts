/**
 * What turns objects into bytes and back: any function, or any object with a `serialize` or `deserialize` method. Answers may
 * be promises; `SerializingProducer.produce`, which cannot wait, then refuses them.
 */
import type { MessageField } from '../constants.ts'
import type { HeadersInput } from '../values/headers.ts'

/** What is being (de)serialized, and where it belongs. */
export class SerializationContext {
  readonly topic: string | null
  readonly field: MessageField
  /** Of the message. A serializer may add to what the application gave. */
  readonly headers: HeadersInput | null

  constructor(topic: string | null, field: MessageField, headers: HeadersInput | null = null) {
    this.topic = topic
    this.field = field
    this.headers = headers
  }
}

type Bytes = Uint8Array | null

export type SerializerFunction<T> = (
  object: T | null,
  context?: SerializationContext,
) => Bytes | Promise<Bytes>

export type DeserializerFunction<T> = (
  bytes: Buffer | null,
  context?: SerializationContext,
) => T | null | Promise<T | null>

export type Serializer<T> = SerializerFunction<T> | { readonly serialize: SerializerFunction<T> }
export type Deserializer<T> = DeserializerFunction<T> | { readonly deserialize: DeserializerFunction<T> }

/** undefined when none is given. Throws TypeError for what can neither be called nor has the method. */
export function serializerFunction(name: string, given: unknown): SerializerFunction<unknown> | undefined {
  return callable(name, given, 'serialize') as SerializerFunction<unknown> | undefined
}

/** As `serializerFunction`. */
export function deserializerFunction(
  name: string,
  given: unknown,
): DeserializerFunction<unknown> | undefined {
  return callable(name, given, 'deserialize') as DeserializerFunction<unknown> | undefined
}

function callable(name: string, given: unknown, methodName: 'serialize' | 'deserialize'): unknown {
  if (given === undefined || given === null) return undefined
  if (typeof given === 'function') return given
  const method = (given as Record<string, unknown>)[methodName]
  if (typeof method !== 'function') {
    throw new TypeError(`"${name}" must be a function or an object with a ${methodName} method`)
  }
  return method.bind(given)
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
