/** Whole frames over one TCP connection, answered in order; knows nothing of what they mean. */
import { connect, type Socket } from 'node:net'

const ANSWER_DEADLINE_MS = 20_000

export type RawAnswer = Buffer | 'closed' | 'timeout'

export class RawConnection {
  readonly #socket: Socket
  readonly #waiting: ((answer: RawAnswer) => void)[] = []
  /** Answers that nobody asked for yet. */
  readonly #unread: Buffer[] = []
  #rest: Buffer = Buffer.alloc(0)
  isClosed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('close', () => {
      this.isClosed = true
      for (const resolve of this.#waiting.splice(0)) resolve('closed')
    })
  }

  static open(host: string, port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => {
        socket.off('error', reject)
        resolve(new RawConnection(socket))
      })
      socket.once('error', reject)
    })
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    if (!this.isClosed) this.#socket.write(bytes)
  }

  send(frame: Buffer): void {
    const prefix = Buffer.alloc(4)
    prefix.writeInt32BE(frame.length)
    this.write(Buffer.concat([prefix, frame]))
  }

  /** The next answer, without its length prefix. */
  next(deadlineMs = ANSWER_DEADLINE_MS): Promise<RawAnswer> {
    const unread = this.#unread.shift()
    if (unread !== undefined) return Promise.resolve(unread)
    if (this.isClosed) return Promise.resolve('closed')
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        resolve('timeout')
      }, deadlineMs)
      const waiter = (answer: RawAnswer): void => {
        clearTimeout(timer)
        resolve(answer)
      }
      this.#waiting.push(waiter)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readInt32BE(0)
      if (this.#rest.length < end) return
      const answer = Buffer.from(this.#rest.subarray(4, end))
      this.#rest = this.#rest.subarray(end)
      const waiter = this.#waiting.shift()
      if (waiter === undefined) this.#unread.push(answer)
      else waiter(answer)
    }
  }
}
