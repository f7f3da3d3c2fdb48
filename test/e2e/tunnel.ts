/** A stream in memory whose other end a socket carries on: what a client's `connect` hook may open. */
import * as net from 'node:net'
import { Duplex } from 'node:stream'

export class Tunnel extends Duplex {
  readonly #socket: net.Socket

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    super()
    this.#socket = net.connect(port, host)
    this.#socket.on('data', (chunk) => this.push(chunk) || this.#socket.pause())
    this.#socket.on('end', () => this.push(null))
    this.#socket.on('error', (error) => this.destroy(error))
  }

  /** From now on nothing comes back. */
  stall(): void {
    this.#socket.removeAllListeners('data')
    this.#socket.on('data', () => {})
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
