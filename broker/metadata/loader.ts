/**
 * Turns the committed part of the metadata log into the image of one broker and tells the listeners what changed.
 *
 * Owner: a broker. Invariants: only committed batches are fed, each offset counts once; listeners are told in the order of
 * subscription, after a whole piece was replayed, so none sees half a batch; an open metadata transaction shows nothing.
 */
import { BatchCursor } from '../../common/record/batch.ts'
import type { Trace } from '../../common/runtime/trace.ts'
import type { ReplayContext } from '../statemachine/state-machine.ts'
import { MutableMetadataDelta } from './delta.ts'
import type { MetadataDelta, MetadataImage, MetadataListener } from './image.ts'
import { ConfigResourceType } from './image.ts'
import { MutableMetadataImage } from './image-builder.ts'
import { METADATA_FORMAT } from './metadata-format.ts'
import type { MetadataRecord } from './metadata-record.ts'
import { type DecodedSnapshot, imageOfSnapshot, type SnapshotId } from './snapshot.ts'
import { TransactionFilter } from './transaction-filter.ts'

export class MetadataLoader {
  readonly #image = new MutableMetadataImage()
  readonly #listeners: MetadataListener[] = []
  readonly #trace: Trace
  readonly #name: string
  #transaction = new TransactionFilter<ReplayContext>()

  /** @param name who loads, for traces: `metadata of broker 1` */
  constructor(options: { trace: Trace; name: string }) {
    this.#trace = options.trace
    this.#name = options.name
  }

  /** The same object always; its content moves with what is fed. */
  get image(): MetadataImage {
    return this.#image
  }

  /** true while the image lacks records that were fed, since their metadata transaction has not ended. */
  get hasOpenTransaction(): boolean {
    return this.#transaction.isOpen
  }

  /** What the next batch must begin with. */
  get nextOffset(): number {
    return this.#image.offset + 1
  }

  /** Subscribes; one that comes late is told the whole image as if all of it was new. @returns the way out */
  listen(listener: MetadataListener): () => void {
    this.#listeners.push(listener)
    if (this.#image.offset >= 0) listener.onMetadata(this.#image, everythingIn(this.#image))
    return () => {
      const index = this.#listeners.indexOf(listener)
      if (index >= 0) this.#listeners.splice(index, 1)
    }
  }

  /** Replays whole committed batches in log order and publishes once. What was fed before is passed over. */
  feed(batches: Buffer): void {
    const image = this.#image
    const visitor = {
      onRecord: (record: MetadataRecord, context: ReplayContext) =>
        this.#transaction.replay(record, context, (applied) => image.replay(applied)),
      onMarker: () => {},
      onUnknown: (description: string, offset: number) =>
        this.#trace.emit({
          level: 'warn',
          kind: 'metadata.unknown-record',
          message: `${this.#name}: skipped ${description} at offset ${offset}`,
        }),
    }
    const cursor = new BatchCursor(batches)
    let hasMoved = false
    while (cursor.next()) {
      const { batch } = cursor
      if (batch.lastOffset <= image.offset) continue
      METADATA_FORMAT.decodeBatch(batches, batch.position, visitor)
      image.advanceTo({
        offset: batch.lastOffset,
        epoch: batch.partitionLeaderEpoch,
        timestampMs: batch.maxTimestamp,
      })
      hasMoved = true
    }
    if (hasMoved) this.#publish()
  }

  /** Replaces the image by that of a snapshot, when the log no longer reaches back to `nextOffset`. */
  loadSnapshot(snapshot: DecodedSnapshot, id: SnapshotId): void {
    this.#transaction = new TransactionFilter()
    this.#image.resetTo(imageOfSnapshot(snapshot, id))
    this.#publish()
  }

  #publish(): void {
    const delta = this.#image.takeDelta()
    for (const listener of [...this.#listeners]) listener.onMetadata(this.#image, delta)
  }
}

/** The delta from nothing to the image. */
export function everythingIn(image: MetadataImage): MetadataDelta {
  const delta = new MutableMetadataDelta()
  for (const id of image.topicsById.keys()) delta.topicChanges(id, undefined)
  for (const id of image.brokers.keys()) delta.changedBrokers.add(id)
  for (const type of Object.values(ConfigResourceType)) {
    for (const name of image.configuredResources(type)) delta.changedConfigs.add(`${type}\n${name}`)
  }
  delta.changedFeatures = true
  delta.changedAcls = true
  delta.changedQuotas = true
  delta.changedScram = true
  delta.changedTokens = true
  return delta
}
