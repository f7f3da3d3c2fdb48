/**
 * What profile `test` does beyond settings: members go with their connections, idle fetches end early, and topics are usable when they are
 * there. Every deviation from Kafka is listed in docs/fixture.md.
 *
 * Owner: whoever started the cluster. It stands between clients and brokers as a companion of a fault engine: that of a test, or one of its
 * own for `kafkito start`.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Reactor } from '../../common/runtime/reactor.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { TurnReactor } from '../../common/runtime/turn-reactor.ts'
import type { Cluster } from '../cluster.ts'
import type { Interception } from '../network/interception.ts'
import { answerWhenUsable } from './created-topics.ts'
import { FaultEngine } from './fault-engine.ts'
import { IdleFetches } from './idle-fetches.ts'
import { Journal } from './journal.ts'
import { LocalView } from './local-view.ts'
import { localWire } from './local-wire.ts'
import { LostMembers } from './lost-members.ts'
import { turnChanges } from './waits.ts'
import type { Wire } from './wire.ts'

export interface TestBehaviourParts {
  readonly cluster: () => Cluster
  readonly faultEngine: FaultEngine
  readonly wire: Wire
  readonly reactor: Reactor
  readonly realTimers: Scheduler
  readonly isUsable: (topic: string) => boolean
  readonly onChange: (callback: () => void) => () => void
}

export function addTestBehaviour(parts: TestBehaviourParts): void {
  const { cluster, faultEngine, reactor, realTimers } = parts
  const { openRequests } = faultEngine
  const members = new LostMembers({
    wire: parts.wire,
    reactor,
    isCoordinator: ({ context: { broker } }, groupId) =>
      !faultEngine.isDown(broker.nodeId) &&
      cluster().nodes.some((node) => node.state === 'running' && node.broker?.services === broker) &&
      broker.groups.service.shardFor(groupId).error === ErrorCode.NONE,
  })
  openRequests.onConnectionClosed(members.onConnectionClosed)
  faultEngine.accompany(openRequests.watch)
  faultEngine.accompany(members.watch)
  faultEngine.accompany(new IdleFetches(openRequests, realTimers).watch)
  faultEngine.accompany(answerWhenUsable(parts))
}

/** The same for a cluster that is no fixture. */
export class TestBehaviour {
  readonly interception: Interception
  readonly #runtime: Runtime & { readonly reactor: TurnReactor }
  readonly #faultEngine: FaultEngine
  #wire: Wire | undefined

  /** Before the cluster is started, which takes `interception`. */
  constructor(runtime: Runtime & { readonly reactor: TurnReactor }) {
    const { random, reactor } = runtime
    this.#runtime = runtime
    this.#faultEngine = new FaultEngine({
      random,
      reactor,
      journal: new Journal({ isRecording: false, capacity: 1 }),
    })
    this.interception = { interceptor: this.#faultEngine }
  }

  /** When it has started. */
  begin(cluster: Cluster): void {
    const { reactor, scheduler } = this.#runtime
    const view = new LocalView(() => cluster)
    this.#wire = localWire(() => cluster, this.#runtime, scheduler)
    addTestBehaviour({
      cluster: () => cluster,
      faultEngine: this.#faultEngine,
      wire: this.#wire,
      reactor,
      realTimers: scheduler,
      isUsable: (topic) => view.isUsable(topic) === true,
      onChange: turnChanges(reactor),
    })
  }

  end(): void {
    this.#wire?.close()
  }
}
