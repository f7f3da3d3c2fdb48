/**
 * The seed of a cluster that is no fixture: `kafkito start --seed-dir`. Owner: whoever started the cluster, and ends this before it.
 */
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { TurnReactor } from '../../common/runtime/turn-reactor.ts'
import type { Cluster } from '../cluster.ts'
import { LocalView } from './local-view.ts'
import { localWire } from './local-wire.ts'
import { plantSeed } from './seed.ts'
import { readSeedFolder, type Seed } from './seed-folder.ts'
import { turnChanges, Waits } from './waits.ts'
import type { Wire } from './wire.ts'

/** Longest that a topic may take to be usable: elections and recovery are in it. */
const TOPIC_LIMIT_MS = 60_000

export class Seeding {
  readonly #runtime: Runtime & { readonly reactor: TurnReactor }
  readonly #seed: Seed
  #wire: Wire | undefined

  /** Reads and checks the folder. @throws StartError */
  constructor(runtime: Runtime & { readonly reactor: TurnReactor }, directory: string) {
    this.#runtime = runtime
    this.#seed = readSeedFolder(runtime.files, directory)
  }

  /** Once, when the cluster has started. @throws StartError for what it refuses */
  async plant(cluster: Cluster): Promise<void> {
    const { reactor, scheduler, clock } = this.#runtime
    const wire = localWire(() => cluster, this.#runtime, scheduler)
    this.#wire = wire
    const view = new LocalView(() => cluster)
    const waits = new Waits({
      realTimers: scheduler,
      virtualTimers: undefined,
      onChange: turnChanges(reactor),
      journalTail: () => [],
    })
    const isUsable = (topic: string) => (view.isUsable(topic) === true ? { value: undefined } : undefined)
    await plantSeed(this.#seed, {
      host: {
        wire,
        nowMs: () => clock.wallMs(),
        whenUsable: (topic) =>
          waits.until<void>(
            `topic "${topic}"`,
            () => isUsable(topic),
            () => 'it has brokers that do not serve it',
            {
              timeoutMs: TOPIC_LIMIT_MS,
            },
          ),
      },
      bootstrapServers: cluster.bootstrapServers,
    })
  }

  end(): void {
    this.#wire?.close()
  }
}
