/** What `listTopics` tells of the cluster, and other plain values of the documented API. */
import type { KafkaError } from '../errors.ts'

export class Node {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null

  constructor(id: number, host: string, port: number, rack: string | null = null) {
    this.id = id
    this.host = host
    this.port = port
    this.rack = rack
  }

  get idString(): string {
    return String(this.id)
  }

  toString(): string {
    return `(${this.id}) ${this.host}:${this.port}${this.rack === null ? '' : ` (${this.rack})`}`
  }
}

export interface BrokerMetadata {
  readonly id: number
  readonly host: string
  readonly port: number
}

export interface PartitionMetadata {
  readonly id: number
  /** -1 when there is none; `error` says LEADER_NOT_AVAILABLE then. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isrs: readonly number[]
  readonly error: KafkaError | null
}

export interface TopicMetadata {
  readonly topic: string
  readonly partitions: ReadonlyMap<number, PartitionMetadata>
  readonly error: KafkaError | null
}

export interface ClusterMetadata {
  readonly clusterId: string | null
  /** -1 when unknown. */
  readonly controllerId: number
  readonly brokers: ReadonlyMap<number, BrokerMetadata>
  readonly topics: ReadonlyMap<string, TopicMetadata>
  /** The broker that answered. */
  readonly origBrokerId: number
  readonly origBrokerName: string
}

export interface GroupMember {
  readonly id: string
  readonly clientId: string
  readonly clientHost: string
  readonly metadata: Buffer
  readonly assignment: Buffer
}

export interface GroupMetadata {
  readonly broker: BrokerMetadata
  readonly id: string
  readonly error: KafkaError | null
  readonly state: string
  readonly protocolType: string
  readonly protocol: string
  readonly members: readonly GroupMember[]
}

/** A broker delayed a response because of a quota. */
export class ThrottleEvent {
  readonly brokerName: string
  readonly brokerId: number
  /** Seconds. */
  readonly throttleTime: number

  constructor(brokerName: string, brokerId: number, throttleTime: number) {
    this.brokerName = brokerName
    this.brokerId = brokerId
    this.throttleTime = throttleTime
  }

  toString(): string {
    return `${this.brokerName}/${this.brokerId} throttled for ${Math.round(this.throttleTime * 1000)} ms`
  }
}
