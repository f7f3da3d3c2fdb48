/** Where a cluster is, in the shapes that clients, child processes and Testcontainers' users want. */
import type { Address } from '../../common/runtime/transport.ts'

/** Variables for the environment of a child process. */
export interface ClusterEnvironment {
  KAFKA_BROKERS: string
  BOOTSTRAP_SERVERS: string
  KAFKA_BOOTSTRAP_SERVERS: string
  KAFKITO_BOOTSTRAP: string
  KAFKITO_HTTP_URL?: string
}

export interface ClusterUrls {
  readonly kafka: string
  /** Is there when it was asked for. */
  readonly http?: string
}

export class ClusterAddresses {
  readonly #bootstrap: () => readonly Address[]
  readonly #httpUrl: string | undefined

  /** @param bootstrap asked each time: brokers come and go */
  constructor(bootstrap: () => readonly Address[], httpUrl: string | undefined) {
    this.#bootstrap = bootstrap
    this.#httpUrl = httpUrl
  }

  /** `host:port` of each broker. */
  get brokers(): string[] {
    return this.#bootstrap().map(addressText)
  }

  /** `host:port,…`, as clients want it. */
  get bootstrapServers(): string {
    return this.brokers.join(',')
  }

  get first(): Address {
    const [first] = this.#bootstrap()
    if (first === undefined) throw new Error('The cluster has no broker.')
    return first
  }

  get urls(): ClusterUrls {
    const http = this.#httpUrl
    return { kafka: `kafka://${this.bootstrapServers}`, ...(http === undefined ? {} : { http }) }
  }

  environment(): ClusterEnvironment {
    const { bootstrapServers } = this
    return {
      KAFKA_BROKERS: bootstrapServers,
      BOOTSTRAP_SERVERS: bootstrapServers,
      KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
      KAFKITO_BOOTSTRAP: bootstrapServers,
      ...(this.#httpUrl === undefined ? {} : { KAFKITO_HTTP_URL: this.#httpUrl }),
    }
  }
}

function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
