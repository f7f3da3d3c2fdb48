/**
 * What a test needs of a cluster that may be older than this client. The ApiVersions of BOOTSTRAP say what it has; a test that needs more
 * is skipped, and its `meta` tells why. Without BOOTSTRAP the cluster is kafkito, which has all of it.
 */
import type { TestOptions } from 'vitest'
import { type ApiName, apiByName } from '../../common/protocol/registry.ts'
import { brokerVersions } from '../support/raw-client.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** The API that the cluster lacks, of a test that was skipped for it. */
    needs?: string
  }
}

const bootstrap = process.env.BOOTSTRAP ?? ''
const versions = bootstrap === '' ? undefined : await brokerVersions(bootstrap)

/**
 * Whether the cluster has the API, in this version or a higher one. KIP-848 is version 1 of its heartbeat: Kafka 3.7 to 3.9 offer version 0,
 * and refuse it unless they are told otherwise.
 */
export function knows(name: ApiName, version = 0): boolean {
  const api = apiByName(name)
  if (api === undefined) throw new Error(`no API ${name}`)
  return versions === undefined || versions.pick(api, { minVersion: version }) !== undefined
}

/** Whether brokers keep the metadata themselves, and not in ZooKeeper: only such ones can be unregistered. */
export const isKraft = knows('UnregisterBroker')

/** For what Kafka does in another way as long as it has ZooKeeper. */
export const needsKraft: TestOptions = needs('UnregisterBroker')

/** For `it` and `describe`: runs where the cluster has the API in this version or a higher one. */
export function needs(name: ApiName, version = 0): TestOptions {
  return knows(name, version) ? {} : { skip: true, meta: { needs: `${name} v${version}` } }
}
