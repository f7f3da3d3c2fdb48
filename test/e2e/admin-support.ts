/** What the end-to-end tests of the admin client share: the cluster of BOOTSTRAP, or a kafkito of their own. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { AdminClient, type ClientConfig, Consumer, NewTopic, Producer } from '../../client/index.ts'
import { RawCluster, uniqueName } from './support.ts'

export class AdminWorld {
  bootstrap: string
  admin: AdminClient
  #own: Cluster | undefined
  #open: { close(): Promise<unknown> }[] = []

  private constructor(bootstrap: string) {
    this.bootstrap = bootstrap
    this.admin = undefined as unknown as AdminClient
  }

  /** Registers the hooks of the file that calls it. */
  static use(
    options: Parameters<typeof startCluster>[0] = {},
    bootstrap = process.env.BOOTSTRAP ?? '',
  ): AdminWorld {
    const world = new AdminWorld(bootstrap)
    beforeAll(async () => {
      if (world.bootstrap === '') {
        world.#own = await startCluster(options)
        world.bootstrap = world.#own.bootstrapServers
      }
      world.admin = new AdminClient({ 'bootstrap.servers': world.bootstrap, log_level: 0 })
    })
    afterEach(async () => {
      await Promise.all(world.#open.splice(0).map((handle) => handle.close()))
    })
    afterAll(async () => {
      await world.admin.close()
      await world.#own?.stop()
    })
    return world
  }

  /** Closed after the test. */
  consumer(conf: ClientConfig): Consumer {
    const consumer = new Consumer(
      { 'bootstrap.servers': this.bootstrap, 'auto.offset.reset': 'earliest', log_level: 0 },
      conf,
    )
    this.#open.push(consumer)
    return consumer
  }

  /** Closed after the test. */
  producer(conf: ClientConfig = {}): Producer {
    const producer = new Producer({ 'bootstrap.servers': this.bootstrap, log_level: 0 }, conf)
    this.#open.push(producer)
    return producer
  }

  async topic(
    partitionCount = 1,
    name = uniqueName('admin'),
    config: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    await this.admin.createTopics([new NewTopic(name, partitionCount, 1, { config })]).all()
    await new RawCluster(this.bootstrap).known(name, partitionCount)
    return name
  }
}

/** Brokers hear of a new topic a moment after the one that was asked for its leaders: the call is made until its topic is known. */
export async function onceKnown(call: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const failed = await errorName(call())
    if (failed === 'none') return
    if (failed !== 'UNKNOWN_TOPIC_OR_PART' || attempt === 2000) throw new Error(failed)
  }
}

/** The name of the error that a promise rejects with; 'none' when it does not. */
export async function errorName(promise: Promise<unknown> | undefined): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    return (error as { error?: { name(): string } }).error?.name() ?? (error as Error).name
  }
}
