import { Admin } from './admin.ts'
import { clientSettings, type KafkaConfig } from './client-settings.ts'
import { Consumer } from './consumer.ts'
import type { ConsumerConfig } from './consumer-types.ts'
import type { FacadeParts } from './facade-parts.ts'
import { patienceOf } from './first-contact.ts'
import { defaultLogCreator, type Logger, logLevel, makeLogger } from './logger.ts'
import { Producer, type ProducerConfig } from './producer.ts'
import { Timing } from './timing.ts'

/** The entry of a kafkajs program: `producer`, `consumer` and `admin` behave as its users know them. */
export class Kafka {
  readonly #config: KafkaConfig
  readonly #level: logLevel
  readonly #logger: Logger
  readonly #timing = new Timing()

  constructor(config: KafkaConfig) {
    this.#config = config
    this.#level = config.logLevel ?? logLevel.INFO
    this.#logger = makeLogger({
      namespace: '',
      level: this.#level,
      write: (config.logCreator ?? defaultLogCreator)(this.#level),
      timing: this.#timing,
    })
  }

  producer(config: ProducerConfig = {}): Producer {
    return new Producer(this.#parts('Producer', config), config)
  }

  consumer(config: ConsumerConfig): Consumer {
    // Programs without types leave it out: that there is no group is then told as for any other wrong one.
    const given = config ?? {}
    return new Consumer(this.#parts('Consumer', given), given)
  }

  admin(config: Pick<ProducerConfig, 'retry'> = {}): Admin {
    return new Admin(this.#parts('Admin', config))
  }

  logger(): Logger {
    return this.#logger
  }

  #parts(namespace: string, { retry }: Pick<ProducerConfig, 'retry'>): FacadeParts {
    const config = { ...this.#config, retry: { ...this.#config.retry, ...retry } }
    return {
      settings: () => clientSettings(config, this.#level, this.#timing),
      patience: patienceOf(config),
      logger: this.#logger.namespace(namespace),
      timing: this.#timing,
    }
  }
}
