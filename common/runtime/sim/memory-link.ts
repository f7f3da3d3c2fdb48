/**
 * One side of a link of a `MemoryNetwork`. Owned by the network until it is closed. What a side sends travels through its
 * `#road`, in order, and arrives at the peer as a task of the reactor.
 */
import type { Frame } from '../../protocol/frame.ts'
import { frameLengthBytes } from '../limits.ts'
import { LinkQueue } from '../link-queue.ts'
import type { Sendable } from '../reactor.ts'
import type { Timer } from '../scheduler.ts'
import type { Address, Link, LinkCloseReason } from '../transport.ts'
import type { LinkCarrier } from './link-carrier.ts'

type Parcel =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'connect' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'close'; readonly reason: LinkCloseReason }

interface Travelling {
  readonly parcel: Parcel
  readonly readyMs: number
}

export interface MemoryLinkOptions {
  readonly endpoint: string
  readonly peerEndpoint: string
  readonly local: Address
  readonly remote: Address
  readonly maxFrameBytes: number
}

export class MemoryLink implements Link, Sendable {
  readonly id: number
  readonly endpoint: string
  readonly peerEndpoint: string
  readonly local: Address
  readonly remote: Address
  readonly peerSubject = undefined
  onFrame: (frame: Frame) => void = () => {}
  onOpen: () => void = () => {}
  onClose: (reason: LinkCloseReason, cause?: Error) => void = () => {}
  onDrain: () => void = () => {}
  peer: MemoryLink | undefined
  readonly #network: LinkCarrier<MemoryLink>
  readonly #maxFrameBytes: number
  readonly #queue = new LinkQueue()
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  #isClosing = false
  #pending: Frame[] = []
  /** What waits for its time or for the network to heal, oldest first. */
  #road: Travelling[] = []
  #roadTimer: Timer | undefined
  /** Frames that arrived while this side does not read. */
  #unread: Frame[] = []
  /** The peer has closed behind the unread frames. */
  #closeWhenRead: LinkCloseReason | undefined
  #isPaused = false
  #connectTimer: Timer | undefined

  constructor(network: LinkCarrier<MemoryLink>, options: MemoryLinkOptions) {
    this.#network = network
    this.id = network.nextLinkId()
    this.endpoint = options.endpoint
    this.peerEndpoint = options.peerEndpoint
    this.local = options.local
    this.remote = options.remote
    this.#maxFrameBytes = options.maxFrameBytes
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes
  }

  get isWritable(): boolean {
    return this.#queue.isWritable
  }

  connect(timeoutMs: number): void {
    const { scheduler } = this.#network.options
    const label = `${this.endpoint} connecting to ${this.remote.host}:${this.remote.port}`
    this.#connectTimer = scheduler.schedule(label, timeoutMs, () => this.#giveUp())
    this.#dispatch({ kind: 'connect' })
  }

  join(peer: MemoryLink): void {
    this.peer = peer
    peer.peer = this
  }

  opened(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    this.#connectTimer?.cancel()
    this.onOpen()
    if (this.#pending.length > 0 || this.#isClosing) this.#network.options.reactor.sendLater(this)
  }

  send(frame: Frame): void {
    if (this.#state === 'closed' || this.#isClosing) return
    this.#pending.push(frame)
    this.#queue.add(frame.sizeBytes + frameLengthBytes)
    if (this.#state === 'open') this.#network.options.reactor.sendLater(this)
  }

  sendPending(): void {
    if (this.#state !== 'open') return
    const frames = this.#pending
    this.#pending = []
    for (const frame of frames) this.#dispatch({ kind: 'frame', frame })
    if (this.#isClosing) {
      this.#dispatch({ kind: 'close', reason: 'remote' })
      this.#finish('local')
    }
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.#unread.length > 0) this.#network.options.reactor.post(() => this.#readOn())
  }

  close(): void {
    if (this.#state === 'closed' || this.#isClosing) return
    if (this.#state === 'connecting' && this.#pending.length === 0) {
      this.destroy()
      return
    }
    this.#isClosing = true
    if (this.#state === 'open') this.#network.options.reactor.sendLater(this)
  }

  destroy(): void {
    if (this.#state === 'closed') return
    this.#loseRoad()
    this.#dispatch({ kind: 'close', reason: 'remote' })
    this.#finish('local')
  }

  /** Ends this side alone; the other side hears nothing of it. */
  fail(reason: LinkCloseReason): void {
    if (this.#state === 'closed') return
    this.#loseRoad()
    this.#finish(reason)
  }

  #giveUp(): void {
    if (this.#state !== 'connecting') return
    this.#loseRoad()
    // The other side may have accepted and its answer be under way.
    this.#dispatch({ kind: 'close', reason: 'reset' })
    this.#finish('timeout')
  }

  /** The process of this side is gone: it hears nothing, the other side hears `reset`. */
  die(): void {
    if (this.#state === 'closed') return
    this.#loseRoad()
    this.#dispatch({ kind: 'close', reason: 'reset' })
    this.onClose = () => {}
    this.#finish('local')
  }

  closedByPeer(reason: LinkCloseReason): void {
    if (reason === 'remote' && this.#unread.length > 0) this.#closeWhenRead = reason
    else this.fail(reason)
  }

  /** Sends on what waited, as far as it may travel now. */
  pump(): void {
    const { reactor, scheduler } = this.#network.options
    this.#roadTimer?.cancel()
    this.#roadTimer = undefined
    if (this.#network.isCut(this.endpoint, this.peerEndpoint)) return
    const nowMs = this.#network.nowMs()
    while (this.#road.length > 0) {
      const { parcel, readyMs } = this.#road[0] as Travelling
      if (readyMs > nowMs) {
        const label = `${parcel.kind} from ${this.endpoint} to ${this.peerEndpoint}`
        this.#roadTimer = scheduler.schedule(label, readyMs - nowMs, () => this.pump())
        return
      }
      this.#road.shift()
      reactor.post(() => this.#arrive(parcel))
    }
    if (this.#state === 'closed') this.#network.forget(this)
  }

  #dispatch(parcel: Parcel): void {
    const { reactor, random, scheduler } = this.#network.options
    const conditions = this.#network.conditionsOf(this.endpoint, this.peerEndpoint)
    const happens = (probability = 0): boolean => probability > 0 && random.float() < probability
    if (parcel.kind === 'frame' && happens(conditions.dropProbability)) {
      this.#left(parcel.frame)
      return
    }
    const { delayMs = 0, jitterMs = 0 } = conditions
    const delay = delayMs + (jitterMs > 0 ? random.float() * jitterMs : 0)
    if (parcel.kind === 'frame' && happens(conditions.reorderProbability)) {
      const label = `frame out of order from ${this.endpoint} to ${this.peerEndpoint}`
      scheduler.schedule(label, delay, () => this.#arrive(parcel))
      return
    }
    const isCut = this.#network.isCut(this.endpoint, this.peerEndpoint)
    if (this.#road.length === 0 && delay === 0 && !isCut) {
      reactor.post(() => this.#arrive(parcel))
      return
    }
    const earliest = this.#network.nowMs() + delay
    this.#road.push({ parcel, readyMs: Math.max(earliest, this.#road.at(-1)?.readyMs ?? 0) })
    if (this.#road.length === 1) this.pump()
  }

  /** Runs in a turn, on the side that sent. */
  #arrive(parcel: Parcel): void {
    switch (parcel.kind) {
      case 'connect': {
        if (this.#state === 'closed') return
        const accepted = this.#network.accept(this)
        if (accepted === undefined) this.fail('refused')
        else accepted.#dispatch({ kind: 'accepted' })
        return
      }
      case 'accepted':
        this.peer?.opened()
        return
      case 'close':
        this.peer?.closedByPeer(parcel.reason)
        return
      case 'frame':
        this.#deliver(parcel.frame)
    }
  }

  #deliver(frame: Frame): void {
    const { peer } = this
    if (peer === undefined || peer.#state === 'closed' || peer.#isClosing) {
      this.#left(frame)
      return
    }
    if (peer.#isPaused || peer.#unread.length > 0) {
      peer.#unread.push(frame)
      return
    }
    this.#left(frame)
    peer.#read(frame)
  }

  #read(frame: Frame): void {
    if (frame.sizeBytes <= this.#maxFrameBytes) {
      this.onFrame(frame)
      return
    }
    this.#loseRoad()
    this.#dispatch({ kind: 'close', reason: 'remote' })
    this.#finish('frame-too-large')
  }

  #readOn(): void {
    while (!this.#isPaused && this.#state === 'open') {
      const frame = this.#unread.shift()
      if (frame === undefined) {
        if (this.#closeWhenRead !== undefined) this.fail(this.#closeWhenRead)
        return
      }
      const { peer } = this
      if (peer !== undefined) peer.#left(frame)
      this.#read(frame)
    }
  }

  /** A frame has left this side: it was read, or it is lost. */
  #left(frame: Frame): void {
    const isDrained = this.#queue.remove(frame.sizeBytes + frameLengthBytes)
    if (!isDrained || this.#state !== 'open') return
    this.#network.options.reactor.post(() => {
      if (this.#state === 'open' && this.isWritable) this.onDrain()
    })
  }

  #loseRoad(): void {
    this.#road = []
    this.#roadTimer?.cancel()
    this.#roadTimer = undefined
  }

  #finish(reason: LinkCloseReason): void {
    this.#state = 'closed'
    this.#connectTimer?.cancel()
    this.#pending = []
    this.#unread = []
    // A road that still carries something, such as news of the close, needs the network to know this side.
    if (this.#road.length === 0) this.#network.forget(this)
    this.#network.options.reactor.post(() => this.onClose(reason))
  }
}
