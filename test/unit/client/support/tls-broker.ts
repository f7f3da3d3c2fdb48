/** A broker behind TLS, as small as a client needs to be content: it tells its versions and that it is the whole cluster. */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import * as tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { Metadata } from '../../../../common/protocol/apis/03-metadata.ts'
import { ApiVersions } from '../../../../common/protocol/apis/18-api-versions.ts'
import { decodeRequest } from '../../../../common/protocol/codec.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../../../common/protocol/header.ts'
import type { ApiSchema, ResponseInputOf } from '../../../../common/protocol/schema.ts'
import { FrameAssembler } from '../../../../common/runtime/frame-assembler.ts'
import { joinFrames } from '../../../../common/runtime/frame-joiner.ts'

/** Path of a file of `test/support/tls`. */
export function tlsFile(name: string): string {
  return fileURLToPath(new URL(`../../../support/tls/${name}`, import.meta.url))
}

export function tlsText(name: string): string {
  return readFileSync(tlsFile(name), 'utf8')
}

const served = [Metadata, ApiVersions] as readonly ApiSchema[]

export class TlsBroker {
  readonly #server: tls.Server
  readonly #host: string
  /** Common names that clients have shown. */
  readonly clients: (string | undefined)[] = []
  readonly serverNames: (string | false | null)[] = []

  /** @param host what it calls itself in metadata */
  constructor(options: tls.TlsOptions, host = 'localhost') {
    this.#host = host
    this.#server = tls.createServer(options, (socket) => {
      const name = socket.getPeerCertificate().subject?.CN
      this.clients.push(Array.isArray(name) ? name[0] : name)
      this.serverNames.push((socket as tls.TLSSocket & { servername: string | false | null }).servername)
      const assembler = new FrameAssembler(1_000_000)
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        assembler.push(chunk, (frame) => {
          const { header, api, reader } = decodeRequestHeader(frame)
          const { apiVersion: version, correlationId } = header
          decodeRequest(api, version, reader)
          const response = this.#answer(api) as ResponseInputOf<ApiSchema>
          for (const bytes of joinFrames([encodeResponseFrame(api, { version, correlationId }, response)])) {
            socket.write(bytes)
          }
        })
      })
    })
    this.#server.on('tlsClientError', () => {})
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `${this.#host}:${this.#port}`
  }

  stop(): void {
    this.#server.close()
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #answer(api: ApiSchema): object {
    if (api === (ApiVersions as ApiSchema)) {
      const apiKeys = served.map(({ key, versions }) => ({
        apiKey: key,
        minVersion: versions.lowest,
        maxVersion: versions.highest,
      }))
      return { errorCode: 0, apiKeys }
    }
    const brokers = [{ nodeId: 1, host: this.#host, port: this.#port }]
    return { brokers, clusterId: 'behind-tls', controllerId: 1, topics: [] }
  }
}
