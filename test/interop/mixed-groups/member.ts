/** What a member of a mixed group is, whoever wrote its client; and kafkito's own. */
import { Consumer } from '../../../client/index.ts'
import type { MemberEvents } from './group-observer.ts'

/** A classic group with this assignor, or a group of KIP-848 with the broker's. */
export type Mode = 'range' | 'cooperative-sticky' | 'consumer'

export interface Place {
  /** Name of this life of the member; also its client id. */
  readonly life: string
  readonly group: string
  readonly topic: string
  readonly mode: Mode
}

export interface Member {
  /** Commits, leaves the group and closes. */
  leave(): Promise<void>
}

export type MemberFactory = (place: Place, events: MemberEvents) => Promise<Member>

export const kafkitoMembers =
  (bootstrap: string): MemberFactory =>
  async ({ life, group, topic, mode }, events) => {
    const consumer = new Consumer({
      'bootstrap.servers': bootstrap,
      'client.id': life,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': 200,
      'retry.backoff.ms': 20,
      log_level: 0,
      ...(mode === 'consumer'
        ? { 'group.protocol': 'consumer' }
        : { 'partition.assignment.strategy': mode, 'heartbeat.interval.ms': 300 }),
    })
    const ids = (partitions: readonly { readonly partition: number }[]): number[] =>
      partitions.map(({ partition }) => partition)
    consumer.subscribe([topic], {
      onAssign: (_consumer, partitions) => events.assigned(ids(partitions)),
      onRevoke: (_consumer, partitions) => events.revoked(ids(partitions)),
      onLost: (_consumer, partitions) => events.problem(`lost ${ids(partitions)}`),
    })
    let isLeaving = false
    const work = async (): Promise<void> => {
      while (!isLeaving) {
        const message = await consumer.poll(0.1)
        const error = message?.error() ?? null
        if (error === null && message !== null) events.got(`${message.value()}`)
        else if (error !== null && !error.retriable()) events.problem(`${error}`)
      }
      await consumer.close()
    }
    const working = work().catch((error: unknown) => events.problem(String(error)))
    return {
      async leave() {
        isLeaving = true
        await working
      },
    }
  }
