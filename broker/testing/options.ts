import type { Runtime } from '../../common/runtime/runtime.ts'
import type { ClusterOptions } from '../cluster-options.ts'
import type { TopicOptions } from './topic-handle.ts'

export interface HttpOptions {
  /** Default 0: a free one. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
}

export interface StartOptions extends Omit<ClusterOptions, 'runtime' | 'files' | 'interception'> {
  /** Topics that are there when it resolves: names, or names with settings. */
  readonly topics?: readonly string[] | Readonly<Record<string, TopicOptions>>
  /** A folder with topics, records, groups and scripts that are in place when it resolves; after `topics`. */
  readonly seedDir?: string
  /** Topics are created when clients first use them. Default true. */
  readonly autoCreate?: boolean
  /** `virtual`: brokers' time passes only by `cluster.clock.advance`. Default `real`. */
  readonly clock?: 'real' | 'virtual'
  /** Makes ids, elections of chance and probabilities of faults repeatable. */
  readonly seed?: number | string
  /** Verify at the end of `await using` and of scopes. Default true. */
  readonly strict?: boolean
  /** Keep a journal of requests. Default: with profile `test`. */
  readonly journal?: boolean
  /** `kill({ loseTail: true })` shall work; costs a copy of every write. Default false. */
  readonly loseTail?: boolean
  /** Attach to a running cluster in place of starting one. Default: KAFKITO_BOOTSTRAP of the environment, if set. */
  readonly bootstrapServers?: string
  /** Serve the HTTP interface of `kafkito start` as well, at `cluster.urls.http`; on a free port unless one is given. Default false. */
  readonly http?: boolean | HttpOptions
  /** Not there yet: true is refused. */
  readonly schemaRegistry?: boolean
  /** Not there yet: true is refused. */
  readonly connect?: boolean
  /** Not there yet: true is refused. */
  readonly rest?: boolean
  /** The world; for simulations. */
  readonly runtime?: Runtime
}

/** So that a slip of the pen is told from an option, also where no compiler looks. */
export const START_OPTIONS = {
  brokers: true,
  controllers: true,
  replicaHistory: true,
  down: true,
  ports: true,
  racks: true,
  port: true,
  host: true,
  advertisedHost: true,
  dataDir: true,
  profile: true,
  config: true,
  strictPorts: true,
  topics: true,
  seedDir: true,
  autoCreate: true,
  clock: true,
  seed: true,
  strict: true,
  journal: true,
  loseTail: true,
  bootstrapServers: true,
  http: true,
  runtime: true,
  schemaRegistry: true,
  connect: true,
  rest: true,
} as const satisfies Record<keyof StartOptions, true>
