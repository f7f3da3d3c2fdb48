/**
 * What a test has left behind at the end of its scope: members of groups, and consumers that still poll. Told only when it does not go away by
 * itself in a moment: a client that was stopped just now may be on its way out.
 */
import { ListGroups } from '../../common/protocol/apis/16-list-groups.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { InterceptedRequest } from '../network/interception.ts'
import { topicNamesOf } from './fault-engine.ts'
import type { LocalWorld } from './local-world.ts'
import { isLongPoll } from './open-requests.ts'
import { memberProblems } from './verify.ts'
import type { Wire } from './wire.ts'

/** How long clients may take to go. */
const GRACE_MS = 250

export interface Leftovers {
  readonly world: LocalWorld
  /** Calls back whenever something may have changed. @returns a function that stops it */
  readonly onChange: (callback: () => void) => () => void
}

/** Members and polling consumers, in words; their groups and topics begin with the prefix. */
export async function leftoversHere({ world, onChange }: Leftovers, prefix: string): Promise<string[]> {
  const isMeant = (name: string): boolean => name.startsWith(prefix)
  const polls = (): InterceptedRequest[] =>
    [...world.faultEngine.openRequests].filter(
      (exchange) => isLongPoll(exchange) && topicNamesOf(exchange).some(isMeant),
    )
  const members = (): string[] => memberProblems(world.engine, isMeant)
  const polling = new Set(polls().map(({ context }) => context.connection))
  if (polling.size === 0 && members().length === 0) return []
  const areGone = (): boolean =>
    ![...polling].some((connection) => world.faultEngine.openRequests.has(connection)) &&
    members().length === 0
  await untilOrLate(areGone, onChange, world.runtime.realTimers)
  const leftPolls = polls().filter(({ context }) => polling.has(context.connection))
  return [...members(), ...leftPolls.map(pollProblem)]
}

function pollProblem(exchange: InterceptedRequest): string {
  const { clientId, broker } = exchange.context
  const topics = topicNamesOf(exchange).join(', ')
  return `client "${clientId}" still polls broker ${broker.nodeId} for ${topics}. Stop every consumer before the test ends`
}

function untilOrLate(
  isDone: () => boolean,
  onChange: Leftovers['onChange'],
  realTimers: Scheduler,
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stop()
      timer.cancel()
      resolve()
    }
    const stop = onChange(() => {
      if (isDone()) finish()
    })
    const timer = realTimers.schedule('clients to go', GRACE_MS, finish)
  })
}

const WITHOUT_MEMBERS: ReadonlySet<string> = new Set(['Empty', 'Dead'])

/** Groups with members on a cluster elsewhere, in words. */
export async function leftoversElsewhere(wire: Wire, prefix: string): Promise<string[]> {
  const { brokers } = await wire.metadata(null)
  const problems: string[] = []
  for (const { nodeId } of brokers) {
    const { groups } = await wire.broker(nodeId, ListGroups, {})
    for (const { groupId, groupState } of groups) {
      if (WITHOUT_MEMBERS.has(groupState) || !groupId.startsWith(prefix)) continue
      problems.push(
        `group "${groupId}" is ${groupState}: it still has members. Disconnect every consumer before the test ends`,
      )
    }
  }
  return problems
}
