/**
 * One TCP connection as a `Link`. Made by `transport-tcp.ts`, owned by whoever got it from there.
 *
 *     connecting ──adopt──► open ──close / peer's end──► closing ──socket closed──► closed
 *          └──────────────────┴───────────destroy / error / refusal───────────────────┘
 *
 * Invariant: `onClose` is posted exactly once, behind every frame that was read before it.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Frame } from '../../protocol/frame.ts'
import { FrameAssembler, type FrameRefusal } from '../frame-assembler.ts'
import { joinFrames } from '../frame-joiner.ts'
import { frameLengthBytes, linkCloseTimeoutMs, linkLingerMs, socketScratchBytes } from '../limits.ts'
import { LinkQueue } from '../link-queue.ts'
import type { Reactor, Sendable } from '../reactor.ts'
import type { RecycledBytes } from '../recycled-bytes.ts'
import type { Scheduler, Timer } from '../scheduler.ts'
import type { Address, Link, LinkCloseReason } from '../transport.ts'

/** Node's `onread` of sockets: asked for a buffer before each read, told of the bytes in it after. */
export interface InPlaceReading {
  readonly buffer: () => Uint8Array
  readonly callback: (count: number, buffer: Uint8Array) => boolean
}

/** Reads are delivered one after the other and what must last is copied out at once, so one serves all sockets. */
const scratch = Buffer.allocUnsafeSlow(socketScratchBytes)

/** A socket, or a stream in its place, which has no addresses. */
type Stream = Duplex & Partial<Pick<Socket, 'localAddress' | 'localPort'>>

const nowhere: Address = { host: '', port: 0 }

export function addressOf(host: string | undefined, port: number | undefined): Address {
  if (host === undefined || port === undefined) return nowhere
  // A dual-stack socket shows IPv4 peers in their IPv6 form.
  return { host: host.startsWith('::ffff:') ? host.slice(7) : host, port }
}

export interface TcpLinkOptions {
  readonly id: number
  readonly reactor: Reactor
  readonly scheduler: Scheduler
  readonly maxFrameBytes: number
  readonly remote: Address
  /** Where large bodies get their memory; absent: whoever receives a frame has it for ever. */
  readonly recycled?: RecycledBytes
}

export class TcpLink implements Link, Sendable {
  readonly id: number
  readonly remote: Address
  readonly peerSubject = undefined
  local: Address = nowhere
  onFrame: (frame: Frame) => void = () => {}
  onOpen: () => void = () => {}
  onClose: (reason: LinkCloseReason, cause?: Error) => void = () => {}
  onDrain: () => void = () => {}
  /** Ends an attempt to connect. For `transport-tcp.ts`. */
  onAbort: (() => void) | undefined
  readonly #reactor: Reactor
  readonly #scheduler: Scheduler
  readonly #assembler: FrameAssembler
  readonly #queue = new LinkQueue()
  #socket: Stream | undefined
  #state: 'connecting' | 'open' | 'closing' | 'closed' = 'connecting'
  #isPaused = false
  #pending: Frame[] = []
  #closeReason: LinkCloseReason | undefined
  #cause: Error | undefined
  #closeTimer: Timer | undefined
  #isCloseTold = false
  #isReadInPlace = false
  /** The place in a body that the next read goes to. */
  #target: Buffer | undefined

  constructor(options: TcpLinkOptions) {
    this.id = options.id
    this.remote = options.remote
    this.#reactor = options.reactor
    this.#scheduler = options.scheduler
    this.#assembler = new FrameAssembler(options.maxFrameBytes, options.recycled)
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes
  }

  get isWritable(): boolean {
    return this.#queue.isWritable
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /**
   * How a socket of this link reads: large bodies into their own buffers, the rest into one that all sockets share. So bytes that
   * arrive cost no allocation of their own, which the garbage collector would have to chase.
   */
  readonly reading: InPlaceReading = {
    buffer: () => {
      this.#target = this.#state === 'open' ? this.#assembler.target : undefined
      return this.#target ?? scratch
    },
    callback: (count, buffer) => {
      this.#receivedInPlace(count, buffer)
      return true
    },
  }

  /**
   * Takes a connected socket over. Nothing is read before `opened`.
   * @param isReadInPlace the socket was made with `reading`
   */
  adopt(socket: Stream, isReadInPlace: boolean): void {
    this.#socket = socket
    this.#isReadInPlace = isReadInPlace
    this.local = addressOf(socket.localAddress, socket.localPort)
    socket.on('error', (error) => {
      this.#closeReason ??= 'reset'
      this.#cause ??= error
    })
    socket.on('close', () => this.#closed())
  }

  openLater(): void {
    this.#reactor.post(() => this.opened())
  }

  /** Must be called in a turn. */
  opened(): void {
    const socket = this.#socket
    if (socket === undefined || this.#state === 'closed') return
    if (this.#state === 'connecting') this.#state = 'open'
    if (!this.#isReadInPlace) socket.on('data', (chunk: Buffer) => this.#received(chunk))
    else if (!this.#isPaused) socket.resume()
    socket.on('end', () => this.#ended())
    if (this.#isPaused) socket.pause()
    this.onOpen()
    if (this.#pending.length > 0 || this.#state === 'closing') this.#reactor.sendLater(this)
  }

  send(frame: Frame): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#pending.push(frame)
    this.#queue.add(frame.sizeBytes + frameLengthBytes)
    if (this.#state === 'open') this.#reactor.sendLater(this)
  }

  sendPending(): void {
    const socket = this.#socket
    if (socket === undefined || this.#state === 'closed') return
    if (this.#pending.length > 0) {
      const frames = this.#pending
      this.#pending = []
      this.#write(socket, frames)
    }
    if (this.#state === 'closing') this.#end(socket)
  }

  pause(): void {
    this.#isPaused = true
    this.#socket?.pause()
  }

  resume(): void {
    this.#isPaused = false
    // A socket that is not opened yet must not flow: its bytes would have no listener.
    if (this.#state === 'open') this.#socket?.resume()
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    if (this.#state === 'connecting' && this.#pending.length === 0) {
      this.destroy()
      return
    }
    this.#state = 'closing'
    this.#closeReason ??= 'local'
    this.#reactor.sendLater(this)
  }

  destroy(): void {
    this.fail('local')
  }

  /** Ends the link at once, unless it has ended. */
  fail(reason: LinkCloseReason, cause?: Error): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#closeReason ??= reason
    this.#cause ??= cause
    this.#pending = []
    this.#closeTimer?.cancel()
    this.#socket?.destroy()
    this.onAbort?.()
    this.#tellClosed()
  }

  #received(chunk: Buffer): void {
    // What comes after our own close is read and dropped, so that the close does not become a reset.
    if (this.#state === 'open') this.#refuse(this.#assembler.push(chunk, this.#postFrame))
  }

  #receivedInPlace(count: number, buffer: Uint8Array): void {
    if (this.#state !== 'open') return
    if (this.#target !== undefined && this.#target === buffer) this.#assembler.filled(count, this.#postFrame)
    else this.#refuse(this.#assembler.pushBorrowed(scratch.subarray(0, count), this.#postFrame))
  }

  readonly #postFrame = (frame: Frame): void => {
    this.#reactor.post(() => {
      if (this.#state === 'open') this.onFrame(frame)
    })
  }

  #refuse(refusal: FrameRefusal | undefined): void {
    if (refusal !== undefined) this.#reactor.post(() => this.fail(refusal))
  }

  #ended(): void {
    // Behind the frames that came before the end: their answers still leave.
    this.#reactor.post(() => {
      if (this.#state !== 'open') return
      this.#closeReason ??= 'remote'
      this.close()
    })
  }

  #write(socket: Stream, frames: readonly Frame[]): void {
    let sizeBytes = 0
    for (const frame of frames) sizeBytes += frame.sizeBytes + frameLengthBytes
    const written = (error?: Error | null): void => {
      // Of what could not be written the system may still have a part.
      if (!error) for (const frame of frames) frame.recycle?.()
      if (this.#queue.remove(sizeBytes) && this.#state === 'open') {
        this.#reactor.post(() => {
          if (this.#state === 'open' && this.#queue.isWritable) this.onDrain()
        })
      }
    }
    const buffers = joinFrames(frames)
    socket.cork()
    buffers.forEach((buffer, index) => {
      if (index === buffers.length - 1) socket.write(buffer, written)
      else socket.write(buffer)
    })
    socket.uncork()
  }

  #end(socket: Stream): void {
    if (socket.writableEnded) return
    socket.resume()
    const remote = `${this.remote.host}:${this.remote.port}`
    this.#closeTimer = this.#scheduler.schedule(`closing the link to ${remote}`, linkCloseTimeoutMs, () =>
      socket.destroy(),
    )
    socket.end(() => {
      if (this.#state === 'closed') return
      this.#closeTimer?.cancel()
      this.#closeTimer = this.#scheduler.schedule(`lingering for ${remote}`, linkLingerMs, () =>
        socket.destroy(),
      )
    })
  }

  #closed(): void {
    this.#closeTimer?.cancel()
    this.#closeReason ??= 'remote'
    // Frames that were read and are posted come first.
    this.#reactor.post(() => {
      this.#state = 'closed'
      this.#pending = []
      this.#tellClosed()
    })
  }

  #tellClosed(): void {
    if (this.#isCloseTold) return
    this.#isCloseTold = true
    const reason = this.#closeReason ?? 'reset'
    this.#reactor.post(() => this.onClose(reason, this.#cause))
  }
}
