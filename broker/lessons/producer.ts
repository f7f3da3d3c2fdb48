/**
 * A producer with an identity, as a lesson plays it: it numbers its batches, and in transactions its epoch moves on.
 */
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { EndTxn } from '../../common/protocol/apis/26-end-txn.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Lab } from './lab.ts'
import { errorText } from './texts.ts'

const TRANSACTION_TIMEOUT_MS = 60_000
/** The newest stable version; v6 is not advertised. */
const INIT_PRODUCER_ID_VERSION = 5

export class Producer {
  readonly name: string
  readonly transactionalId: string | null
  producerId = -1
  producerEpoch = -1
  isInTransaction = false
  readonly #nextSequence = new Map<string, number>()

  constructor(name: string, transactionalId: string | null) {
    this.name = name
    this.transactionalId = transactionalId
  }

  takeSequence(place: string): number {
    const sequence = this.#nextSequence.get(place) ?? 0
    this.#nextSequence.set(place, sequence + 1)
    return sequence
  }

  async init(lab: Lab): Promise<string> {
    const { transactionalId } = this
    const nodeId = transactionalId === null ? lab.anyBroker() : await lab.coordinatorOf(1, transactionalId)
    const answer = await lab.call(
      nodeId,
      InitProducerId,
      { transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS },
      { version: INIT_PRODUCER_ID_VERSION },
    )
    if (answer.errorCode !== ErrorCode.NONE) return `${this.name}: ${errorText(answer.errorCode)}`
    this.#become(answer.producerId, answer.producerEpoch)
    return `${this.name}: producer id ${this.producerId}, epoch ${this.producerEpoch}`
  }

  async end(lab: Lab, committed: boolean): Promise<string> {
    const transactionalId = this.transactionalId ?? ''
    const answer = await lab.call(await lab.coordinatorOf(1, transactionalId), EndTxn, {
      transactionalId,
      producerId: this.producerId,
      producerEpoch: this.producerEpoch,
      committed,
    })
    if (answer.errorCode !== ErrorCode.NONE) return `${this.name}: ${errorText(answer.errorCode)}`
    this.isInTransaction = false
    // KIP-890: every transaction has an epoch of its own.
    if (answer.producerEpoch >= 0) this.#become(answer.producerId, answer.producerEpoch)
    return `${this.name}: ${committed ? 'committed' : 'aborted'}, epoch ${this.producerEpoch}`
  }

  #become(producerId: number, producerEpoch: number): void {
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.#nextSequence.clear()
  }
}
