/** The scopes of one cluster: gives each a prefix that no other has. Owner: the cluster. */
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { Cluster } from '../cluster.ts'
import type { ClusterAddresses } from './cluster-addresses.ts'
import type { ClusterView } from './cluster-view.ts'
import { Faults } from './faults.ts'
import type { Journal } from './journal.ts'
import { NotLocalError } from './kafka-error.ts'
import type { LocalWorld } from './local-world.ts'
import { Scope } from './scope.ts'
import type { TopicHost } from './topic-handle.ts'
import { WaitFor } from './wait-for.ts'
import type { Waits } from './waits.ts'
import type { Wire } from './wire.ts'

export interface ScopesParts {
  /** undefined: the cluster runs elsewhere. */
  readonly local: LocalWorld | undefined
  readonly addresses: ClusterAddresses
  readonly host: TopicHost
  readonly wire: Wire
  readonly waits: Waits
  readonly view: ClusterView
  /** @throws NotLocalError */
  readonly journal: () => Journal
  /** What tests with this prefix of names have left behind, in words. */
  readonly leftovers: (prefix: string) => Promise<readonly string[]>
  readonly isStrict: boolean
}

export class Scopes {
  readonly #parts: ScopesParts
  /** Of every scope that there was. */
  readonly prefixes: string[] = []

  constructor(parts: ScopesParts) {
    this.#parts = parts
  }

  open(prefix: string): Scope {
    const { local, addresses, host, wire, waits, view, journal, leftovers, isStrict } = this.#parts
    const number = this.prefixes.length + 1
    // Other processes may use the same cluster.
    const unique = local === undefined ? `${prefix}-${uniquePart()}-${number}` : `${prefix}-${number}`
    this.prefixes.push(unique)
    local?.faultEngine.accompany(local.faultEngine.openRequests.watch)
    return new Scope({
      prefix: unique,
      bootstrapServers: addresses.bootstrapServers,
      brokers: addresses.brokers,
      host,
      wire,
      faults: () => {
        if (local === undefined) throw new NotLocalError('Fault injection')
        return new Faults(local.faultEngine, waits)
      },
      waitFor: (nameOf) => new WaitFor({ waits, view, journal, nameOf }),
      leaks: leftovers,
      namesOf: local === undefined ? undefined : (start) => namesIn(local.engine, start),
      isStrict,
    })
  }
}

/** Different in each process and at each call. */
function uniquePart(): string {
  return createNodeRuntime().random.uuid().slice(0, 6).replace(/[^\w]/g, 'x')
}

function namesIn(engine: Cluster, start: string): { topics: readonly string[]; groups: readonly string[] } {
  const topics = new Set<string>()
  const groups = new Set<string>()
  for (const { services } of engine.brokers) {
    for (const name of services.metadata.topicsByName.keys()) if (name.startsWith(start)) topics.add(name)
    for (const { machine } of services.groups.service.ledPartitions().values())
      for (const groupId of machine.state.groups.keys()) if (groupId.startsWith(start)) groups.add(groupId)
  }
  return { topics: [...topics], groups: [...groups] }
}
