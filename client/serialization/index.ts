/** The public names of `kafkito/serialization`. */
export { MessageField } from '../constants.ts'
export {
  ConsumeError,
  KeyDeserializationError,
  ValueDeserializationError,
} from '../consumer/consume-errors.ts'
export {
  KeySerializationError,
  ProduceError,
  SerializationError,
  ValueSerializationError,
} from '../errors.ts'
export { BufferDeserializer, BufferSerializer } from './buffer-serializer.ts'
export { type DeserializingConfig, DeserializingConsumer } from './deserializing-consumer.ts'
export { DeserializingShareConsumer } from './deserializing-share-consumer.ts'
export { JsonDeserializer, JsonSerializer } from './json-serializer.ts'
export {
  BigIntDeserializer,
  BigIntSerializer,
  DoubleDeserializer,
  DoubleSerializer,
  IntegerDeserializer,
  IntegerSerializer,
} from './number-serializers.ts'
export {
  type Deserializer,
  type DeserializerFunction,
  SerializationContext,
  type Serializer,
  type SerializerFunction,
} from './serializer.ts'
export {
  type SerializingConfig,
  type SerializingProduceOptions,
  SerializingProducer,
} from './serializing-producer.ts'
export { StringDeserializer, StringSerializer } from './string-serializer.ts'
