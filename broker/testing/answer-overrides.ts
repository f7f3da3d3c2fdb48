/**
 * What answers say of the cluster in place of the truth: racks, addresses, brokers left out, coordinators, leaders, and the versions of APIs.
 * Owner: the fault engine. Only the answers change: replication and coordinators go on as they are.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { type Answer, CLOSE_CONNECTION } from '../api/handler.ts'
import type { InterceptedRequest } from '../network/interception.ts'

type Structure = Readonly<Record<string, unknown>>

/** Kafka's key types of FindCoordinator. */
export const CoordinatorType = { group: 0, transaction: 1, share: 2 } as const
export type CoordinatorKind = keyof typeof CoordinatorType

export interface VersionBounds {
  readonly lowest: number
  readonly highest: number
}

interface Coordinator {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export class AnswerOverrides {
  readonly #racks = new Map<number, string>()
  readonly #addresses = new Map<number, { readonly host: string; readonly port: number }>()
  readonly #hidden = new Set<number>()
  readonly #coordinators = new Map<string, Coordinator>()
  /** null: the API is not there at all. */
  readonly #versions = new Map<number, VersionBounds | null>()
  /** topic-partition -> what Metadata says of its leader. */
  readonly #leaders = new Map<string, { readonly id: number; readonly epoch?: number }>()
  readonly #replicas = new Map<string, number>()

  setRack(nodeId: number, rack: string): void {
    this.#racks.set(nodeId, rack)
  }
  setAddress(nodeId: number, host: string, port: number): void {
    this.#addresses.set(nodeId, { host, port })
  }
  hide(nodeId: number, isHidden: boolean): void {
    if (isHidden) this.#hidden.add(nodeId)
    else this.#hidden.delete(nodeId)
  }
  pinCoordinator(kind: CoordinatorKind, key: string, coordinator: Coordinator): void {
    this.#coordinators.set(`${CoordinatorType[kind]}/${key}`, coordinator)
  }
  limitVersions(apiKey: number, bounds: VersionBounds | null): void {
    this.#versions.set(apiKey, bounds)
  }
  tellLeader(topic: string, partition: number, leader: { id: number; epoch?: number } | undefined): void {
    const key = `${topic}-${partition}`
    if (leader === undefined) this.#leaders.delete(key)
    else this.#leaders.set(key, leader)
  }
  /** Consumers of the partition are sent to this replica; undefined: no longer. */
  preferReplica(topic: string, partition: number, nodeId: number | undefined): void {
    const key = `${topic}-${partition}`
    if (nodeId === undefined) this.#replicas.delete(key)
    else this.#replicas.set(key, nodeId)
  }

  get isEmpty(): boolean {
    return (
      this.#racks.size +
        this.#addresses.size +
        this.#hidden.size +
        this.#coordinators.size +
        this.#versions.size +
        this.#leaders.size +
        this.#replicas.size ===
      0
    )
  }

  clear(): void {
    this.#racks.clear()
    this.#addresses.clear()
    this.#hidden.clear()
    this.#coordinators.clear()
    this.#versions.clear()
    this.#leaders.clear()
    this.#replicas.clear()
  }

  /** Whether a request of this version is taken. ApiVersions always is: it is how a client learns what is. */
  allows(api: ApiSchema, version: number): boolean {
    const bounds = this.#versions.get(api.key)
    if (bounds === undefined || api.name === 'ApiVersions') return true
    return bounds !== null && version >= bounds.lowest && version <= bounds.highest
  }

  concerns(api: ApiSchema): boolean {
    switch (api.name) {
      case 'Metadata':
        return this.#racks.size + this.#addresses.size + this.#hidden.size + this.#leaders.size > 0
      case 'DescribeCluster':
        return this.#racks.size + this.#addresses.size + this.#hidden.size > 0
      case 'FindCoordinator':
        return this.#coordinators.size > 0
      case 'ApiVersions':
        return this.#versions.size > 0
      case 'Fetch':
        return this.#replicas.size > 0
      default:
        return false
    }
  }

  change({ api, request, context }: InterceptedRequest, answer: Answer<unknown>): Answer<unknown> {
    if (typeof answer === 'symbol') return answer === CLOSE_CONNECTION ? CLOSE_CONNECTION : answer
    const said = answer as Structure
    switch (api.name) {
      case 'Metadata':
      case 'DescribeCluster':
        return this.#cluster(said)
      case 'FindCoordinator':
        return this.#found(said, request as Structure)
      case 'ApiVersions':
        return this.#apiVersions(said)
      case 'Fetch':
        return this.#fetched(
          said,
          context.broker.nodeId,
          (id) => context.broker.metadata.topicsById.get(id)?.name,
        )
      default:
        return answer
    }
  }

  #cluster(said: Structure): Structure {
    const brokers = (said.brokers as readonly Structure[] | undefined)
      ?.filter((broker) => !this.#hidden.has(idOf(broker)))
      .map((broker) => {
        const rack = this.#racks.get(idOf(broker))
        const address = this.#addresses.get(idOf(broker))
        return { ...broker, ...(rack === undefined ? {} : { rack }), ...address }
      })
    let changed: Structure = { ...said, brokers }
    for (const [key, leader] of this.#leaders) {
      changed = AnswerOverrides.withLeader(
        changed,
        leader,
        (topic, partition) => `${topic}-${partition}` === key,
      ) as Structure
    }
    return changed
  }

  #found(said: Structure, request: Structure): Structure {
    const keyType = request.keyType as number
    const pinned = (key: unknown): Structure => {
      const coordinator = this.#coordinators.get(`${keyType}/${String(key)}`)
      return coordinator === undefined ? {} : { ...coordinator, errorCode: ErrorCode.NONE, errorMessage: '' }
    }
    const coordinators = said.coordinators as readonly Structure[] | undefined
    if (coordinators === undefined || coordinators.length === 0) return { ...said, ...pinned(request.key) }
    return { ...said, coordinators: coordinators.map((found) => ({ ...found, ...pinned(found.key) })) }
  }

  #apiVersions(said: Structure): Structure {
    const apiKeys = (said.apiKeys as readonly Structure[]).flatMap((api): Structure[] => {
      const bounds = this.#versions.get(api.apiKey as number)
      if (bounds === null) return []
      if (bounds === undefined) return [api]
      const minVersion = Math.max(bounds.lowest, api.minVersion as number)
      const maxVersion = Math.min(bounds.highest, api.maxVersion as number)
      return minVersion > maxVersion ? [] : [{ ...api, minVersion, maxVersion }]
    })
    return { ...said, apiKeys }
  }

  #fetched(said: Structure, nodeId: number, nameOf: (topicId: string) => string | undefined): Structure {
    const responses = (said.responses as readonly Structure[]).map((topic) => {
      const name = (topic.topic as string | undefined) || nameOf(topic.topicId as string) || ''
      const partitions = (topic.partitions as readonly Structure[]).map((partition) => {
        const replica = this.#replicas.get(`${name}-${partition.partitionIndex}`)
        if (replica === undefined || replica === nodeId) return partition
        return { ...partition, preferredReadReplica: replica, records: Buffer.alloc(0) }
      })
      return { ...topic, partitions }
    })
    return { ...said, responses }
  }

  /** A Metadata answer that tells another leader of the partitions that are meant. */
  static withLeader(
    answer: unknown,
    leader: { readonly id: number; readonly epoch?: number },
    isMeant: (topic: string, partition: number) => boolean,
  ): unknown {
    const said = answer as Structure
    const topics = (said.topics as readonly Structure[] | null | undefined)?.map((topic) => ({
      ...topic,
      partitions: ((topic.partitions as readonly Structure[] | undefined) ?? []).map((partition) => {
        if (!isMeant(topic.name as string, partition.partitionIndex as number)) return partition
        return {
          ...partition,
          leaderId: leader.id,
          errorCode: leader.id < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
          ...(leader.epoch === undefined ? {} : { leaderEpoch: leader.epoch }),
        }
      }),
    }))
    return { ...said, topics }
  }
}

function idOf(broker: Structure): number {
  return (broker.nodeId ?? broker.brokerId) as number
}
