/**
 * The controller of one node: there is one while the node leads the metadata quorum, a new one each time it takes the lead.
 *
 * Owner: the broker.
 */
import { Controller, type ControllerOptions } from './controller/controller.ts'
import type { BrokerImage } from './metadata/image.ts'
import type { Leadership, MetadataLog } from './raft/metadata-log.ts'

export interface ControllerHostOptions extends Omit<ControllerOptions, 'log' | 'isGone'> {
  readonly metadataLog: () => MetadataLog
  /**
   * Whether the brokers that were registered when this process started have ended with its predecessor; false when the node comes back
   * to a cluster that went on without it.
   */
  readonly isWholeClusterNew: boolean
}

export class ControllerHost {
  readonly #options: ControllerHostOptions
  #controller: Controller | undefined
  /** Registrations below this offset are of an earlier life of the cluster. */
  #firstOwnOffset = 0

  constructor(options: ControllerHostOptions) {
    this.#options = options
  }

  /** The controller, while it is active. */
  get active(): Controller | undefined {
    return this.#controller?.isActive === true ? this.#controller : undefined
  }

  /** To be called before the metadata log takes part in the quorum. */
  start(): void {
    this.#firstOwnOffset = this.#options.metadataLog().logEndOffset
  }

  onLeadership({ isLeader }: Leadership): void {
    this.stop()
    if (!isLeader) return
    const { metadataLog, isWholeClusterNew, ...options } = this.#options
    const firstOwnOffset = this.#firstOwnOffset
    this.#controller = new Controller({
      ...options,
      log: metadataLog(),
      isGone: (broker: BrokerImage) => isWholeClusterNew && broker.epoch < firstOwnOffset,
    })
    this.#controller.start()
  }

  onHighWatermark(): void {
    this.#controller?.onHighWatermark()
  }

  stop(): void {
    this.#controller?.stop()
    this.#controller = undefined
  }
}
