/**
 * What the sides of links in memory need of the network that carries them.
 */
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Reactor } from '../reactor.ts'
import type { Scheduler } from '../scheduler.ts'

export interface LinkConditions {
  readonly delayMs?: number
  /** Up to this much more delay, evenly spread. Never changes the order within a link. */
  readonly jitterMs?: number
  /** Share of frames that vanish: a peer that hangs. */
  readonly dropProbability?: number
  /** Share of frames that do not wait for those before them. Real links never do this. */
  readonly reorderProbability?: number
}

export interface MemoryNetworkOptions {
  readonly clock: Clock
  readonly reactor: Reactor
  readonly scheduler: Scheduler
  readonly random: Random
  /** Identities of links; shared with other transports of the process. */
  readonly nextLinkId?: () => number
  /** Of every direction that has none of its own. */
  readonly conditions?: LinkConditions
}

/** Implemented by the network; the side of a link is the type parameter. */
export interface LinkCarrier<Side> {
  readonly options: MemoryNetworkOptions
  readonly nextLinkId: () => number
  nowMs(): number
  /** Whether nothing travels in this direction for now. */
  isCut(from: string, to: string): boolean
  conditionsOf(from: string, to: string): LinkConditions
  /** The side has ended and has nothing on its road any more. */
  forget(side: Side): void
  /** @returns the other side, when somebody listens where the caller wants to go */
  accept(caller: Side): Side | undefined
}
