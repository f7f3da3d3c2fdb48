/**
 * Lets CreateTopics answer when every broker that runs can serve the new topics: in profile `test` no client meets
 * UNKNOWN_TOPIC_OR_PARTITION or LEADER_NOT_AVAILABLE right after a topic was made. Kafka answers when the controller has committed it.
 */
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Reactor } from '../../common/runtime/reactor.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { Answer } from '../api/handler.ts'
import type { Companion } from './companion.ts'

/** Brokers that stand still or are cut off must not keep the answer: Kafka would have given it long ago. */
const MAX_WAIT_MS = 1_000

export function answerWhenUsable(parts: {
  readonly isUsable: (topic: string) => boolean
  /** Calls back whenever something may have changed. @returns a function that stops it */
  readonly onChange: (callback: () => void) => () => void
  readonly realTimers: Scheduler
  readonly reactor: Reactor
}): Companion {
  const { isUsable, onChange, realTimers, reactor } = parts
  return ({ api, request }, reply) => {
    if (api.name !== CreateTopics.name || (request as { validateOnly?: boolean }).validateOnly) return reply
    return reply.flatMap((answer) => {
      if (typeof answer === 'symbol') return Deferred.of<Answer<unknown>>(answer)
      const { topics } = answer as { topics: readonly { name: string; errorCode: number }[] }
      const created = topics.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
      const areUsable = (): boolean => created.every(({ name }) => isUsable(name))
      if (areUsable()) return Deferred.of<Answer<unknown>>(answer)
      const usable = new Deferred<Answer<unknown>>()
      const finish = (): void => {
        stop()
        timer.cancel()
        usable.complete(answer)
      }
      const stop = onChange(() => {
        // Not within the end of a turn: what is answered there would wait for the next one.
        if (areUsable()) reactor.post(finish)
      })
      const timer = realTimers.schedule('created topics to be usable', MAX_WAIT_MS, finish)
      return usable
    })
  }
}
