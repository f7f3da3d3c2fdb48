/** The heartbeat of a member of the classic protocol: its own timer, independent of polling, and the end of the session without answers. */
import { Heartbeat } from '../../common/protocol/apis/12-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { MemberIdentity } from './membership.ts'

export interface ClassicHeartbeatHooks {
  readonly identity: () => MemberIdentity
  /** Between rebalances; otherwise the join itself keeps the member alive. */
  readonly isStable: () => boolean
  /** Changes when answers that are still out have become meaningless. */
  readonly round: () => number
  readonly answered: (code: number) => void
  /** No answer for `session.timeout.ms`. */
  readonly expired: () => void
}

export class ClassicHeartbeat {
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #hooks: ClassicHeartbeatHooks
  #timer: Timer | undefined
  #isOut = false
  #lastMs = 0

  constructor(core: ClientCore, coordinator: GroupCoordinator, hooks: ClassicHeartbeatHooks) {
    this.#core = core
    this.#coordinator = coordinator
    this.#hooks = hooks
  }

  /** The session begins, or has just been renewed. */
  start(): void {
    this.#lastMs = this.#core.runtime.clock.monotonicMs()
    if (this.#timer === undefined) this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    const { config, runtime } = this.#core
    const label = `heartbeat to group ${this.#coordinator.groupId}`
    this.#timer = runtime.scheduler.schedule(label, config.get('heartbeat.interval.ms'), () => {
      this.#schedule()
      this.#beat()
    })
  }

  #beat(): void {
    const { config, runtime } = this.#core
    if (!this.#hooks.isStable()) return
    const sessionMs = config.get('session.timeout.ms')
    if (runtime.clock.monotonicMs() - this.#lastMs > sessionMs) {
      this.#hooks.expired()
      return
    }
    if (this.#isOut) return
    this.#isOut = true
    const round = this.#hooks.round()
    const { memberId, generationId, groupInstanceId } = this.#hooks.identity()
    const { groupId } = this.#coordinator
    this.#coordinator.request({
      api: Heartbeat,
      body: (version) => ({
        groupId,
        generationId,
        memberId,
        ...(version >= 3 ? { groupInstanceId } : {}),
      }),
      timeoutMs: sessionMs,
      done: (result) => {
        this.#isOut = false
        if (round !== this.#hooks.round() || !result.ok) return
        const { errorCode } = result.response
        const isAlive = errorCode === ErrorCode.NONE || errorCode === ErrorCode.REBALANCE_IN_PROGRESS
        if (isAlive) this.#lastMs = runtime.clock.monotonicMs()
        if (errorCode === ErrorCode.NONE) {
          this.#core.notifier.tell('heartbeat', { groupId, memberId, generationId })
        }
        this.#hooks.answered(errorCode)
      },
    })
  }
}
