/**
 * Requests of the fixture itself, as any client would send them: to the cluster in this process over memory, to another one over TCP.
 *
 * Owner: the cluster of a test. One channel per broker, made when it is needed; versions are what both sides have.
 */
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import { Channel } from '../../common/rpc/channel.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { Address, Transport } from '../../common/runtime/transport.ts'
import { KafkaError } from './kafka-error.ts'

export interface WireOptions {
  readonly transport: Transport
  /** In real time, also when the cluster's clock is virtual. */
  readonly scheduler: Scheduler
  readonly bootstrap: () => readonly Address[]
  readonly clientId: string
}

/** A request, or how it looks in a version. */
export type Asked<A extends ApiSchema> = RequestInputOf<A> | ((version: number) => RequestInputOf<A>)

export type MetadataAnswer = ResponseOf<typeof Metadata>

interface Connected {
  readonly channel: Channel
  readonly versions: ReadonlyMap<number, { readonly min: number; readonly max: number }>
}

const CALL_TIMEOUT_MS = 20_000
const CONNECT_TIMEOUT_MS = 5_000
const RETRY_MS = 20
/** Of one operation: leaders move and coordinators load meanwhile. */
const MAX_TRIES = 250

const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_CONTROLLER,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.OFFSET_NOT_AVAILABLE,
  ErrorCode.REPLICA_NOT_AVAILABLE,
])

/** Whether the error passes by itself. */
export function isTransient(errorCode: number): boolean {
  return WORTH_ANOTHER_TRY.has(errorCode)
}

export class Wire {
  readonly #options: WireOptions
  readonly #channels = new Map<string, Promise<Connected>>()
  readonly #addresses = new Map<number, Address>()
  /** What goes on at once when the wire is closed. */
  readonly #pauses = new Set<() => void>()
  #isClosed = false

  constructor(options: WireOptions) {
    this.#options = options
  }

  /** To any broker. */
  async any<A extends ApiSchema>(api: A, request: Asked<A>): Promise<ResponseOf<A>> {
    if (this.#isClosed) throw new Error('The cluster was stopped.')
    let failure: unknown
    for (const address of this.#options.bootstrap()) {
      try {
        return await this.#call(address, api, request)
      } catch (error) {
        if (error instanceof VersionError) throw error
        failure = error
      }
    }
    throw failure ?? new Error('No broker of the cluster runs.')
  }

  async broker<A extends ApiSchema>(nodeId: number, api: A, request: Asked<A>): Promise<ResponseOf<A>> {
    if (!this.#addresses.has(nodeId)) await this.metadata([])
    const address = this.#addresses.get(nodeId)
    if (address === undefined) throw new Error(`Broker ${nodeId} is not there.`)
    return this.#call(address, api, request)
  }

  /** @param topics null: all */
  async metadata(topics: readonly string[] | null): Promise<MetadataAnswer> {
    const answer = await this.any(Metadata, {
      topics: topics === null ? null : topics.map((name) => ({ name })),
      allowAutoTopicCreation: false,
    })
    for (const { nodeId, host, port } of answer.brokers) this.#addresses.set(nodeId, { host, port })
    return answer
  }

  /** Repeats while the answer is an error that passes by itself, or the broker cannot be reached. */
  async retrying<T>(what: string, run: () => Promise<T>, errorOf: (answer: T) => number): Promise<T> {
    for (let tries = 1; ; tries++) {
      let errorCode = 0
      try {
        const answer = await run()
        errorCode = errorOf(answer)
        if (!isTransient(errorCode)) return answer
      } catch (error) {
        if (!(error instanceof CallError) || tries >= MAX_TRIES || this.#isClosed) throw error
      }
      if (tries >= MAX_TRIES) throw new KafkaError(what, errorCode)
      await this.pause(RETRY_MS)
    }
  }

  async coordinator<A extends ApiSchema>(
    key: string,
    api: A,
    request: Asked<A>,
    errorOf: (answer: ResponseOf<A>) => number,
  ): Promise<ResponseOf<A>> {
    return this.retrying(
      `${api.name} of "${key}"`,
      async () => {
        const found = await this.retrying(
          `the coordinator of "${key}"`,
          () =>
            this.any(FindCoordinator, (version) =>
              version < 4 ? { key } : { keyType: 0, coordinatorKeys: [key] },
            ),
          ({ coordinators, errorCode }) => coordinators[0]?.errorCode ?? errorCode,
        )
        const { nodeId, host, port } = found.coordinators[0] ?? found
        this.#addresses.set(nodeId, { host, port })
        return this.broker(nodeId, api, request)
      },
      errorOf,
    )
  }

  /** First or next offset of partitions of a topic. @param timestamp -1 end, -2 start */
  async offsets(topic: string, timestamp: -1 | -2): Promise<Map<number, number>> {
    const offsets = new Map<number, number>()
    for (const { partitionIndex } of await this.partitions(topic)) {
      const found = await this.leader(
        topic,
        partitionIndex,
        ListOffsets,
        {
          replicaId: -1,
          topics: [{ name: topic, partitions: [{ partitionIndex, timestamp }] }],
        },
        ({ topics }) => topics[0]?.partitions[0]?.errorCode ?? 0,
      )
      offsets.set(partitionIndex, found.topics[0]?.partitions[0]?.offset ?? 0)
    }
    return offsets
  }

  /** The partitions of a topic, in order. @throws KafkaError */
  async partitions(topic: string): Promise<NonNullable<MetadataAnswer['topics']>[number]['partitions']> {
    const { topics } = await this.metadata([topic])
    const found = topics?.[0]
    const errorCode = found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (found === undefined || errorCode !== ErrorCode.NONE)
      throw new KafkaError(`topic "${topic}"`, errorCode)
    return [...found.partitions].sort((left, right) => left.partitionIndex - right.partitionIndex)
  }

  async leader<A extends ApiSchema>(
    topic: string,
    partition: number,
    api: A,
    request: Asked<A>,
    errorOf: (answer: ResponseOf<A>) => number,
  ): Promise<ResponseOf<A>> {
    return this.retrying(
      `${api.name} of ${topic}-${partition}`,
      async () => {
        const found = (await this.partitions(topic)).find(
          ({ partitionIndex }) => partitionIndex === partition,
        )
        if (found === undefined)
          throw new KafkaError(`${topic}-${partition}`, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        if (found.leaderId < 0) throw new CallError(`${topic}-${partition} has no leader`)
        return this.broker(found.leaderId, api, request)
      },
      errorOf,
    )
  }

  /** In real time; ends with the wire. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        this.#pauses.delete(goOn)
        resolve()
      }
      this.#pauses.add(goOn)
      this.#options.scheduler.schedule('pause of the fixture', delayMs, goOn)
    })
  }

  close(): void {
    this.#isClosed = true
    for (const connected of this.#channels.values())
      connected.then(({ channel }) => channel.close()).catch(() => undefined)
    this.#channels.clear()
    for (const goOn of [...this.#pauses]) goOn()
  }

  async #call<A extends ApiSchema>(address: Address, api: A, request: Asked<A>): Promise<ResponseOf<A>> {
    const { channel, versions } = await this.#connect(address)
    const offered = versions.get(api.key)
    const version = Math.min(api.versions.highest, offered?.max ?? -1)
    if (offered === undefined || version < Math.max(api.versions.lowest, offered.min)) {
      throw new VersionError(`The cluster at ${address.host}:${address.port} does not serve ${api.name}.`)
    }
    return call(channel, api, version, typeof request === 'function' ? request(version) : request)
  }

  #connect(address: Address): Promise<Connected> {
    const key = `${address.host}:${address.port}`
    const known = this.#channels.get(key)
    if (known !== undefined) return known
    const { transport, scheduler, clientId } = this.#options
    const channel = new Channel({
      transport,
      scheduler,
      address,
      clientId,
      maxFrameBytes: 0x7fffffff,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      requestTimeoutMs: CALL_TIMEOUT_MS,
      maxInFlight: 5,
      onClosed: () => {
        if (this.#channels.get(key) === connected) this.#channels.delete(key)
      },
    })
    const connected = call(channel, ApiVersions, 3, {
      clientSoftwareName: 'kafkito',
      clientSoftwareVersion: '1',
    }).then(({ apiKeys }) => ({
      channel,
      versions: new Map(
        apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
      ),
    }))
    this.#channels.set(key, connected)
    connected.catch(() => this.#channels.delete(key))
    return connected
  }
}

class CallError extends Error {}
class VersionError extends Error {}

function call<A extends ApiSchema>(
  channel: Channel,
  api: A,
  version: number,
  request: RequestInputOf<A>,
): Promise<ResponseOf<A>> {
  return new Promise((resolve, reject) => {
    channel.call(api, version, request).whenDone((result) => {
      if (result.ok) resolve(result.response)
      else reject(new CallError(`${api.name} was not answered: ${result.failure}`))
    })
  })
}
