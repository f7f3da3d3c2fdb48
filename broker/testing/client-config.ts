/** Ready-made client settings: the address, a client id, and retries as short as a test wants them. */
export type ClientKind = 'kafkajs' | 'confluent' | 'librdkafka' | 'java' | 'platformatic'

export interface ClientConfigs {
  readonly kafkajs: {
    readonly clientId: string
    readonly brokers: string[]
    readonly connectionTimeout: number
    readonly requestTimeout: number
    readonly retry: {
      readonly initialRetryTime: number
      readonly maxRetryTime: number
      readonly retries: number
    }
    /** Level NOTHING. */
    readonly logLevel: 0
  }
  /** For `new Kafka({ kafkaJS })` of confluent-kafka-javascript. */
  readonly confluent: {
    readonly kafkaJS: {
      readonly clientId: string
      readonly brokers: string[]
      readonly retry: {
        readonly initialRetryTime: number
        readonly maxRetryTime: number
        readonly retries: number
      }
    }
  }
  readonly librdkafka: Readonly<Record<string, string | number>>
  readonly java: Readonly<Record<string, string>>
  readonly platformatic: {
    readonly clientId: string
    readonly bootstrapBrokers: string[]
    readonly retries: number
    readonly retryDelay: number
    readonly connectTimeout: number
  }
}

const RETRY = { initialRetryTime: 20, maxRetryTime: 250, retries: 8 }

export function clientConfig<Kind extends ClientKind>(
  kind: Kind,
  brokers: readonly string[],
  clientId = 'test',
): ClientConfigs[Kind] {
  const configs: ClientConfigs = {
    kafkajs: {
      clientId,
      brokers: [...brokers],
      connectionTimeout: 2_000,
      requestTimeout: 10_000,
      retry: RETRY,
      logLevel: 0,
    },
    confluent: { kafkaJS: { clientId, brokers: [...brokers], retry: RETRY } },
    librdkafka: {
      'bootstrap.servers': brokers.join(','),
      'client.id': clientId,
      'retry.backoff.ms': 20,
      'retry.backoff.max.ms': 250,
      'reconnect.backoff.ms': 20,
      'reconnect.backoff.max.ms': 250,
      'topic.metadata.refresh.fast.interval.ms': 50,
      'fetch.wait.max.ms': 100,
    },
    java: {
      'bootstrap.servers': brokers.join(','),
      'client.id': clientId,
      'retry.backoff.ms': '20',
      'retry.backoff.max.ms': '250',
      'reconnect.backoff.ms': '20',
      'reconnect.backoff.max.ms': '250',
      'fetch.max.wait.ms': '100',
    },
    platformatic: {
      clientId,
      bootstrapBrokers: [...brokers],
      retries: 8,
      retryDelay: 20,
      connectTimeout: 2_000,
    },
  }
  const config = configs[kind]
  if (config === undefined)
    throw new Error(`There are no settings for "${kind}"; known are ${Object.keys(configs).join(', ')}.`)
  return config
}
