/**
 * A broker's life as its controller sees it: registration, heartbeats, unfencing, controlled shutdown (KIP-631).
 *
 * Owner: the broker. Invariants: heartbeats carry the epoch of the registration; a broker asks to be unfenced once it has read the
 * metadata log up to its own registration and has brought its partitions to what is said there.
 */

import { BrokerRegistration } from '../common/protocol/apis/62-broker-registration.ts'
import { BrokerHeartbeat } from '../common/protocol/apis/63-broker-heartbeat.ts'
import { ErrorCode, errorName } from '../common/protocol/errors.ts'
import type { RequestInputOf, ResponseOf } from '../common/protocol/schema.ts'
import { Deferred } from '../common/runtime/deferred.ts'
import type { SchedulerScope, Timer } from '../common/runtime/scheduler.ts'
import type { Trace } from '../common/runtime/trace.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { ControllerClient } from './peer/controller-client.ts'

export interface BrokerLifecycleOptions {
  readonly nodeId: number
  readonly scheduler: SchedulerScope
  readonly trace: Trace
  readonly controller: ControllerClient
  readonly metadata: MetadataImage
  readonly heartbeatIntervalMs: () => number
  readonly registrationTimeoutMs: number
  /** Asked once, when the listeners are open. */
  readonly registration: () => RequestInputOf<typeof BrokerRegistration>
  /** Directory ids that have failed since. */
  readonly offlineDirectories: () => readonly string[]
  readonly cordonedDirectories: () => readonly string[]
}

export class BrokerLifecycle {
  /** Completes with an error text when the controller refuses this broker, with undefined when it is unfenced. */
  readonly started = new Deferred<string | undefined>()
  /** Completes when the metadata tells of this incarnation: what it says of the partitions' leaders takes it into account. */
  readonly caughtUp = new Deferred<void>()
  /** Completes when the controller lets this broker go. */
  readonly mayShutDown = new Deferred<void>()
  readonly #options: BrokerLifecycleOptions
  #brokerEpoch = -1
  #timer: Timer | undefined
  #isReady = false
  #wantsShutDown = false
  #isHeartbeatInFlight = false
  /** Something changed that the heartbeat in flight does not tell. */
  #isNextDue = false
  #isStopped = false

  constructor(options: BrokerLifecycleOptions) {
    this.#options = options
  }

  /** -1 until registered. */
  get brokerEpoch(): number {
    return this.#brokerEpoch
  }

  start(): void {
    const { scheduler, nodeId, registrationTimeoutMs } = this.#options
    const limit = scheduler.schedule(
      `time limit of the registration of broker ${nodeId}`,
      registrationTimeoutMs,
      () =>
        this.started.complete(
          `broker ${nodeId} was not taken in by a controller within ${registrationTimeoutMs} ms`,
        ),
    )
    this.started.whenDone(() => {
      limit.cancel()
      this.caughtUp.complete()
    })
    this.#register(this.#options.registration())
  }

  #register(registration: RequestInputOf<typeof BrokerRegistration>): void {
    const { controller, registrationTimeoutMs, nodeId } = this.#options
    controller.call(BrokerRegistration, registration, registrationTimeoutMs).whenDone((answer) => {
      if (this.#isStopped || this.started.isDone) return
      if (!answer.ok) {
        this.started.complete(`broker ${nodeId} could not register: ${answer.failure}`)
        return
      }
      const { errorCode, brokerEpoch } = answer.response
      if (errorCode === ErrorCode.DUPLICATE_BROKER_REGISTRATION) {
        // The session of the incarnation before this one has not ended yet.
        this.#timer = this.#options.scheduler.schedule(
          `registration of broker ${nodeId}`,
          REGISTER_AGAIN_MS,
          () => this.#register(registration),
        )
        return
      }
      if (errorCode !== ErrorCode.NONE) {
        this.started.complete(`the controller refuses broker ${nodeId}: ${errorName(errorCode)}`)
        return
      }
      this.#brokerEpoch = brokerEpoch
      this.sendHeartbeat()
      this.onMetadata()
    })
  }

  /** To be called when there is newer metadata. */
  onMetadata(): void {
    if (!this.caughtUp.isDone && this.#brokerEpoch >= 0 && this.#options.metadata.offset >= this.#brokerEpoch)
      this.caughtUp.complete()
  }

  /** The partitions are what the metadata says: from now on the broker asks to be unfenced. */
  readyToServe(): void {
    this.#isReady = true
    this.sendHeartbeat()
  }

  /** Asks to hand over everything that this broker leads; `mayShutDown` tells when that is done. */
  beginControlledShutdown(): Deferred<void> {
    this.#wantsShutDown = true
    this.sendHeartbeat()
    return this.mayShutDown
  }

  /** Sends one as soon as the last is answered, not at the next interval: something changed that the controller should know. */
  sendHeartbeat(): void {
    if (this.#brokerEpoch < 0 || this.#isStopped) return
    if (this.#isHeartbeatInFlight) {
      this.#isNextDue = true
      return
    }
    this.#timer?.cancel()
    this.#isHeartbeatInFlight = true
    this.#isNextDue = false
    const { controller, nodeId, metadata, offlineDirectories, cordonedDirectories, heartbeatIntervalMs } =
      this.#options
    const request = {
      brokerId: nodeId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: metadata.offset,
      wantFence: !this.#isReady || metadata.offset < this.#brokerEpoch,
      wantShutDown: this.#wantsShutDown,
      offlineLogDirs: offlineDirectories(),
      cordonedLogDirs: cordonedDirectories(),
    }
    controller.call(BrokerHeartbeat, request, Math.max(heartbeatIntervalMs(), 1_000)).whenDone((answer) => {
      this.#isHeartbeatInFlight = false
      if (this.#isStopped) return
      if (answer.ok) this.#onAnswer(answer.response, request.wantShutDown)
      if (answer.ok && this.#isNextDue) this.sendHeartbeat()
      else this.#schedule(answer.ok && this.#mustHurry(request.wantShutDown))
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.mayShutDown.complete()
  }

  #onAnswer(response: ResponseOf<typeof BrokerHeartbeat>, wantedShutDown: boolean): void {
    if (response.errorCode !== ErrorCode.NONE) {
      this.#options.trace.emit({
        level: 'warn',
        kind: 'broker.heartbeat-refused',
        nodeId: this.#options.nodeId,
        message: `heartbeat of broker ${this.#options.nodeId}: ${errorName(response.errorCode)}`,
      })
      return
    }
    if (!response.isFenced) this.started.complete(undefined)
    if (wantedShutDown && response.shouldShutDown) this.mayShutDown.complete()
  }

  /** Something is waited for that the next heartbeat may bring. */
  #mustHurry(wantedShutDown: boolean): boolean {
    return !this.started.isDone || (this.#wantsShutDown && (!wantedShutDown || !this.mayShutDown.isDone))
  }

  #schedule(isUrgent: boolean): void {
    const { scheduler, nodeId, heartbeatIntervalMs } = this.#options
    const delayMs = isUrgent ? Math.min(HURRY_MS, heartbeatIntervalMs()) : heartbeatIntervalMs()
    this.#timer = scheduler.schedule(`heartbeat of broker ${nodeId}`, delayMs, () => this.sendHeartbeat())
  }
}

const REGISTER_AGAIN_MS = 100

/** Pause between heartbeats while this broker waits to be unfenced or let go. */
const HURRY_MS = 2
