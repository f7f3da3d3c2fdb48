/**
 * Takes members out of their groups as soon as their client is gone: profile `test` does not wait for the session of a process that died or
 * a consumer that was never stopped. Only when the client closed the connection: a broker that stops, a fault that disconnects and
 * `setDown` leave members alone, as does a client that leaves a broker which is the group's coordinator no more, to ask the next one.
 * So does everything for static members (KIP-345), who are expected back.
 *
 * Owner: the cluster of a test. A member that has spoken on a newer connection is not lost with the older one.
 */

import { JoinGroup } from '../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../common/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../common/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../common/protocol/apis/14-sync-group.ts'
import { ConsumerGroupHeartbeat } from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ShareGroupHeartbeat } from '../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Reactor } from '../../common/runtime/reactor.ts'
import { CLOSE_CONNECTION } from '../api/handler.ts'
import type { ConnectionInfo } from '../network/connection-info.ts'
import type { InterceptedRequest } from '../network/interception.ts'
import type { Reply } from './companion.ts'
import type { Wire } from './wire.ts'

type Protocol = 'classic' | 'consumer' | 'share'

interface Member {
  readonly protocol: Protocol
  readonly groupId: string
  readonly memberId: string
  readonly connection: ConnectionInfo
  readonly isAlive: () => boolean
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  [JoinGroup.name, 'classic'],
  [SyncGroup.name, 'classic'],
  [Heartbeat.name, 'classic'],
  [ConsumerGroupHeartbeat.name, 'consumer'],
  [ShareGroupHeartbeat.name, 'share'],
])

/** What requests and answers of the APIs above have in common. */
interface Spoken {
  readonly groupId: string
  readonly memberId?: string | null
  readonly groupInstanceId?: string | null
  readonly instanceId?: string | null
  readonly memberEpoch?: number
  readonly errorCode?: number
}

export class LostMembers {
  readonly #wire: Wire
  readonly #reactor: Reactor
  readonly #isCoordinator: (exchange: InterceptedRequest, groupId: string) => boolean
  readonly #members = new Map<string, Member>()
  /** Closed by a broker: the client did not go. */
  readonly #cut = new WeakSet<ConnectionInfo>()

  /** @param parts.isCoordinator whether the broker that was asked still runs, clients may reach it, and it coordinates the group */
  constructor(parts: {
    wire: Wire
    reactor: Reactor
    isCoordinator: (exchange: InterceptedRequest, groupId: string) => boolean
  }) {
    this.#wire = parts.wire
    this.#reactor = parts.reactor
    this.#isCoordinator = parts.isCoordinator
  }

  /** As a companion of the fault engine. */
  readonly watch = (exchange: InterceptedRequest, reply: Reply): Reply => {
    const { api, context } = exchange
    reply.whenDone((answer) => {
      if (answer === CLOSE_CONNECTION) this.#cut.add(context.connection)
    })
    const protocol = PROTOCOLS.get(api.name)
    if (protocol === undefined) return reply
    const request = exchange.request as Spoken
    // A member that rejoins waits for the others: it may be lost before it is answered.
    if (api === JoinGroup && request.memberId) this.#heard(exchange, protocol, request.memberId)
    reply.whenDone((answer) => {
      if (typeof answer === 'symbol') return
      const { errorCode, memberId } = answer as Spoken
      const member = memberId || request.memberId
      if (errorCode === ErrorCode.NONE && member) this.#heard(exchange, protocol, member)
    })
    return reply
  }

  /** For a connection that closed. */
  readonly onConnectionClosed = (connection: ConnectionInfo): void => {
    for (const [key, member] of this.#members) {
      if (member.connection !== connection) continue
      this.#members.delete(key)
      // A broker that is killed closes its connections first and is down afterwards.
      if (!this.#cut.has(connection)) this.#reactor.post(() => member.isAlive() && this.#expel(member))
    }
  }

  #heard(exchange: InterceptedRequest, protocol: Protocol, memberId: string): void {
    const { groupId, groupInstanceId, instanceId, memberEpoch = 0 } = exchange.request as Spoken
    const key = `${protocol}/${groupId}/${memberId}`
    if (groupInstanceId || instanceId || memberEpoch < 0) {
      this.#members.delete(key)
      return
    }
    const isAlive = (): boolean => !this.#members.has(key) && this.#isCoordinator(exchange, groupId)
    this.#members.set(key, {
      protocol,
      groupId,
      memberId,
      connection: exchange.context.connection,
      isAlive,
    })
  }

  #expel({ protocol, groupId, memberId }: Member): void {
    const leaving = { groupId, memberId, memberEpoch: -1 }
    const request =
      protocol === 'classic'
        ? this.#wire.coordinator(
            groupId,
            LeaveGroup,
            (version) =>
              version >= 3
                ? { groupId, members: [{ memberId, groupInstanceId: null }] }
                : { groupId, memberId },
            ({ errorCode }) => errorCode,
          )
        : protocol === 'consumer'
          ? this.#wire.coordinator(groupId, ConsumerGroupHeartbeat, leaving, ({ errorCode }) => errorCode)
          : this.#wire.coordinator(groupId, ShareGroupHeartbeat, leaving, ({ errorCode }) => errorCode)
    // Gone already, or the cluster ends: nobody waits for this.
    request.then(
      () => undefined,
      () => undefined,
    )
  }
}
