/**
 * What the tests of delivery guarantees stand on: three brokers, clients that end as a killed process does, and
 * counts of what was lost and what came twice.
 */
import { type FaultBuilder, startCluster, type TestCluster } from '../../broker/index.ts'
import type { ClientHooks } from '../../client/index.ts'
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { Link } from '../../common/runtime/transport.ts'
import { until } from '../support/until.ts'

/** For waits: a machine may be slow. */
export const PATIENT = { timeoutMs: 30_000 }

const TICK_MS = 5
const STEP_MS = 50
const LONGEST_MS = 120_000

export interface Brokers extends AsyncDisposable {
  readonly cluster: TestCluster
  /** Dies with the brokers at the latest. */
  mortal(): Mortal
}

/**
 * Topics of one partition with three replicas, two of which must have what is acknowledged. The brokers' time passes in small steps while
 * the machine has time for them: nobody is taken for dead because it is slow, and a death need not be waited for.
 */
export async function threeBrokers(...topics: readonly string[]): Promise<Brokers> {
  // The clients live in real time.
  const configs = { 'min.insync.replicas': 2, 'message.timestamp.after.max.ms': Number.MAX_SAFE_INTEGER }
  const cluster = await startCluster({
    brokers: 3,
    clock: 'virtual',
    topics: Object.fromEntries(topics.map((topic) => [topic, { assignments: [[1, 2, 3]], configs }])),
    // Faults and deaths are what these tests are about.
    strict: false,
  })
  const time = setInterval(() => void cluster.clock.advance(TICK_MS), TICK_MS)
  const mortals: Mortal[] = []
  return {
    cluster,
    mortal() {
      const made = new Mortal()
      mortals.push(made)
      return made
    },
    async [Symbol.asyncDispose]() {
      for (const mortal of mortals) mortal.kill()
      clearInterval(time)
      await cluster.stop()
    },
  }
}

/** The world of clients that can end without a word: their connections break, their timers stop, their promises stay open. */
export class Mortal {
  readonly hooks: ClientHooks
  readonly #links = new Set<Link>()
  readonly #end: () => void
  #isDead = false

  constructor() {
    const runtime = createNodeRuntime()
    const { transport } = runtime
    this.#end = () => runtime.close()
    this.hooks = {
      runtime: {
        ...runtime,
        transport: {
          listen: (options, onLink) => transport.listen(options, onLink),
          connect: (options) => {
            const link = transport.connect(options)
            this.#links.add(link)
            if (this.#isDead) this.#cut(link)
            return link
          },
        },
      },
    }
  }

  kill(): void {
    this.#isDead = true
    for (const link of this.#links) this.#cut(link)
    this.#end()
  }

  #cut(link: Link): void {
    link.onFrame = () => {}
    link.onClose = () => {}
    link.destroy()
  }
}

/** The request is held: one that is carried out first has been. (A hit is counted when it comes.) */
export async function holds(fault: FaultBuilder): Promise<void> {
  await until(() => fault.heldCount === 1, `a request held by ${fault}`, PATIENT.timeoutMs)
}

export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${from + index}`)
}

/** What of `sent` is not there, and what is there more than once (once for every time too many). */
export function compare(
  sent: readonly string[],
  found: readonly string[],
): { readonly lost: readonly string[]; readonly doubled: readonly string[] } {
  const times = new Map<string, number>()
  for (const value of found) times.set(value, (times.get(value) ?? 0) + 1)
  return {
    lost: sent.filter((value) => !times.has(value)),
    doubled: [...times].flatMap(([value, count]) => new Array<string>(count - 1).fill(value)),
  }
}

/** The values in the log, as they lie there. */
export async function valuesIn(cluster: TestCluster, topic: string, committed = false): Promise<string[]> {
  return (await cluster.topic(topic).records({ committed })).map(({ value }) => String(value))
}

/** Lets the brokers' time pass until it is so. */
async function passUntil(cluster: TestCluster, what: string, condition: () => boolean): Promise<void> {
  for (let passedMs = 0; !condition(); passedMs += STEP_MS) {
    if (passedMs > LONGEST_MS) throw new Error(`${LONGEST_MS} ms passed in vain for ${what}`)
    await cluster.clock.advance(STEP_MS)
  }
}

/** A broker dies, and another one leads the topics that it led. */
export async function kill(cluster: TestCluster, nodeId: number): Promise<void> {
  cluster.broker(nodeId).kill()
  await passUntil(cluster, `a life without broker ${nodeId}`, () => {
    const living = cluster.engine.brokers.filter(({ nodeId: id }) => id !== nodeId)
    return living.every(({ services }) =>
      [...services.metadata.topicsByName.values()].every(({ partitions }) =>
        partitions.every(({ leaderId }) => leaderId >= 0 && leaderId !== nodeId),
      ),
    )
  })
}

/** It comes back, and all is in sync again. */
export async function revive(cluster: TestCluster, nodeId: number): Promise<void> {
  await cluster.broker(nodeId).start()
  await passUntil(cluster, `broker ${nodeId} in sync`, () =>
    cluster.engine.brokers.every(({ services }) =>
      [...services.metadata.topicsByName.values()].every(({ partitions }) =>
        partitions.every(({ isr }) => isr.length === 3),
      ),
    ),
  )
}

export async function leaderOf(cluster: TestCluster, topic: string): Promise<number> {
  return (await cluster.waitFor.leader({ topic, partition: 0 }, undefined, PATIENT)).leader
}
