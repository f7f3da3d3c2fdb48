/**
 * A client that speaks frames: one channel to one broker, requests in any version, answers decoded. For tests that say something
 * about the protocol itself.
 */

import { BrokerVersions } from '../../client/connections/versions.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import { Channel } from '../../common/rpc/channel.ts'
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'

export interface RawClient {
  /** Rejects when the connection breaks or the answer is malformed. */
  call<A extends ApiSchema>(api: A, request: RequestInputOf<A>, version?: number): Promise<ResponseOf<A>>
  close(): void
}

export function rawClient(bootstrapServers: string, clientId = 'raw'): RawClient {
  const [host, port] = (bootstrapServers.split(',')[0] as string).split(':') as [string, string]
  const runtime = createNodeRuntime()
  const channel = new Channel({
    transport: runtime.transport,
    scheduler: runtime.scheduler,
    address: { host, port: Number(port) },
    clientId,
    maxFrameBytes: 0x7fffffff,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 20_000,
    maxInFlight: 100,
  })
  return {
    call: (api, request, version = api.versions.highest) =>
      new Promise((resolve, reject) => {
        channel.call(api, version, request).whenDone((result) => {
          if (result.ok) resolve(result.response)
          else reject(new Error(`${api.name} v${version}: ${result.failure}`))
        })
      }),
    close: () => {
      channel.close()
      runtime.close()
    },
  }
}

/** Its calls go in the highest version that the broker has too, and that is not above the one they name. */
export interface NegotiatedClient extends RawClient {
  /** Throws when there is no version in common. */
  versionOf(api: ApiSchema, maxVersion?: number): number
}

/** For what is said about a cluster whatever its version. */
export async function negotiatedClient(bootstrapServers: string): Promise<NegotiatedClient> {
  const client = rawClient(bootstrapServers)
  const versions = await versionsOf(client)
  const versionOf = (api: ApiSchema, maxVersion = api.versions.highest): number => {
    const version = versions.pick(api, { maxVersion })
    if (version === undefined) throw new Error(`${api.name}: no version in common`)
    return version
  }
  return {
    versionOf,
    call: (api, request, maxVersion) => client.call(api, request, versionOf(api, maxVersion)),
    close: client.close,
  }
}

/** What the first broker of the list tells of itself. */
export async function brokerVersions(bootstrapServers: string): Promise<BrokerVersions> {
  const client = rawClient(bootstrapServers)
  try {
    return await versionsOf(client)
  } finally {
    client.close()
  }
}

/** By the version of ApiVersions that every broker has. */
async function versionsOf(client: RawClient): Promise<BrokerVersions> {
  return new BrokerVersions(await client.call(ApiVersions, {}, 0))
}
