/** `Random` from the operating system's entropy. */
import { randomFillSync } from 'node:crypto'
import { GeneratedRandom } from '../generated-random.ts'
import { entropyPoolBytes } from '../limits.ts'
import type { Random } from '../random.ts'

export class SystemRandom extends GeneratedRandom {
  readonly #pool = Buffer.alloc(entropyPoolBytes)
  #position = entropyPoolBytes

  protected override uint32(): number {
    if (this.#position >= entropyPoolBytes) {
      randomFillSync(this.#pool)
      this.#position = 0
    }
    const value = this.#pool.readUInt32LE(this.#position)
    // What was handed out must not be readable in memory afterwards.
    this.#pool.writeUInt32LE(0, this.#position)
    this.#position += 4
    return value
  }

  override bytes(sizeBytes: number): Buffer {
    return sizeBytes > 64 ? randomFillSync(Buffer.allocUnsafe(sizeBytes)) : super.bytes(sizeBytes)
  }

  override fork(_label: string): Random {
    return new SystemRandom()
  }
}
