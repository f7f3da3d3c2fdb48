/**
 * The transports of one node, which may stand still: a process that is stopped by a signal keeps its sockets, but hears nothing. The system
 * accepts connections and takes bytes for it; it gets to know of them when it goes on.
 *
 * Owner: the node. Invariant: what arrives while it is frozen is delivered in the order in which it arrived, before anything later.
 */
import type { Frame } from '../protocol/frame.ts'
import type {
  ConnectOptions,
  Link,
  LinkCloseReason,
  Listener,
  ListenOptions,
  Transport,
} from './transport.ts'

export class Freezer {
  #isFrozen = false
  #held: (() => void)[] = []

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  freeze(): void {
    this.#isFrozen = true
  }

  /** Goes on; what was held is delivered by `deliver`. */
  thaw(): void {
    this.#isFrozen = false
  }

  /** To be called inside a turn. */
  deliver(): void {
    while (!this.#isFrozen) {
      const event = this.#held.shift()
      if (event === undefined) return
      event()
    }
  }

  pass(event: () => void): void {
    if (this.#isFrozen || this.#held.length > 0) this.#held.push(event)
    else event()
  }

  /** The process is gone, and what it has not heard with it. */
  discard(): void {
    this.#held = []
    this.#isFrozen = false
  }
}

export function freezableTransport(inner: Transport, freezer: Freezer): Transport {
  return {
    listen: (options: ListenOptions, onLink: (link: Link) => void): Promise<Listener> =>
      inner.listen(options, (link) => onLink(new FreezableLink(link, freezer))),
    connect: (options: ConnectOptions): Link => new FreezableLink(inner.connect(options), freezer),
  }
}

class FreezableLink implements Link {
  onFrame: (frame: Frame) => void = () => {}
  onOpen: () => void = () => {}
  onClose: (reason: LinkCloseReason, cause?: Error) => void = () => {}
  onDrain: () => void = () => {}
  readonly #inner: Link

  constructor(inner: Link, freezer: Freezer) {
    this.#inner = inner
    inner.onFrame = (frame) => freezer.pass(() => this.onFrame(frame))
    inner.onOpen = () => freezer.pass(() => this.onOpen())
    inner.onClose = (reason, cause) => freezer.pass(() => this.onClose(reason, cause))
    inner.onDrain = () => freezer.pass(() => this.onDrain())
  }

  get id(): number {
    return this.#inner.id
  }
  get remote() {
    return this.#inner.remote
  }
  get local() {
    return this.#inner.local
  }
  get peerSubject() {
    return this.#inner.peerSubject
  }
  get queuedBytes(): number {
    return this.#inner.queuedBytes
  }
  get isWritable(): boolean {
    return this.#inner.isWritable
  }

  send(frame: Frame): void {
    this.#inner.send(frame)
  }
  pause(): void {
    this.#inner.pause()
  }
  resume(): void {
    this.#inner.resume()
  }
  close(): void {
    this.#inner.close()
  }
  destroy(): void {
    this.#inner.destroy()
  }
}
