/** What a link still has to send: the counter behind `queuedBytes`, `isWritable` and `onDrain`. Owned by one link. */
import { linkQueueHighBytes, linkQueueLowBytes } from './limits.ts'

export class LinkQueue {
  queuedBytes = 0
  isWritable = true

  add(sizeBytes: number): void {
    this.queuedBytes += sizeBytes
    if (this.queuedBytes > linkQueueHighBytes) this.isWritable = false
  }

  /** @returns whether the link has just become writable again */
  remove(sizeBytes: number): boolean {
    this.queuedBytes -= sizeBytes
    if (this.isWritable || this.queuedBytes > linkQueueLowBytes) return false
    this.isWritable = true
    return true
  }
}
