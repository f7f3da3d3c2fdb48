/**
 * What the tests of handlers stand on: one broker without network and controller, whose metadata the test writes. Settings, image,
 * logs, replicas, the metadata log and telemetry are the real ones on a memory disk, under a clock that the test owns. Requests and
 * answers go through their codecs, so a test sees what a client of that version sees.
 */
import type { Handler } from '../../../../broker/api/handler.ts'
import { BrokerLoggers } from '../../../../broker/broker-loggers.ts'
import { BrokerSettings } from '../../../../broker/broker-settings.ts'
import { parseBrokerConfig } from '../../../../broker/config/broker-config.ts'
import { MutableMetadataImage } from '../../../../broker/metadata/image-builder.ts'
import { type MetadataRecord, metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import type { ListenerKind } from '../../../../broker/network/connection-info.ts'
import type { RequestContext } from '../../../../broker/network/request-context.ts'
import { ClientQuotas } from '../../../../broker/quota/client-quotas.ts'
import { MetadataLog } from '../../../../broker/raft/metadata-log.ts'
import { ReplicaManager } from '../../../../broker/replica/replica-manager.ts'
import { ReplicationThrottle } from '../../../../broker/replica/replication-throttle.ts'
import type { BrokerServices } from '../../../../broker/services.ts'
import { ClientTelemetry } from '../../../../broker/telemetry/client-telemetry.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import type {
  ApiSchema,
  RequestInputOf,
  ResponseInputOf,
  ResponseOf,
} from '../../../../common/protocol/schema.ts'
import { Deferred } from '../../../../common/runtime/deferred.ts'
import { FileError } from '../../../../common/runtime/files.ts'
import { createSimRuntime } from '../../../../common/runtime/sim/runtime.ts'
import { FilePool } from '../../../../storage/file-pool.ts'
import { logConfig } from '../../../../storage/log-config.ts'
import { LogManager } from '../../../../storage/log-manager.ts'
import { TailCache } from '../../../../storage/tail-cache.ts'

export const CLUSTER_ID = '7zP3mXqRQ5e0yq1v2tD9xA'
export const NODE_ID = 1
export const DATA_DIRECTORY = '/data'
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

export interface CallOptions {
  readonly clientId?: string
  readonly clientSoftwareName?: string
}

export interface BrokerHarness {
  readonly broker: BrokerServices
  /** Replays records and publishes them as one step. */
  publish(...records: readonly MetadataRecord[]): void
  /** A topic whose partitions have these replicas; the first leads. @returns its id */
  createTopic(name: string, replicas: readonly (readonly number[])[]): string
  registerBroker(id: number, rack?: string): void
  setConfig(type: number, resource: string, configs: Readonly<Record<string, string | null>>): void
  call<A extends ApiSchema>(
    handler: Handler<A>,
    version: number,
    request: RequestInputOf<A>,
    options?: CallOptions,
  ): ResponseOf<A>
  advance(ms: number): void
  /** Every further operation on the disk fails. */
  breakDisk(): void
}

/** @param properties start-up settings of the broker */
export function brokerHarness(properties: Readonly<Record<string, string>> = {}): BrokerHarness {
  const world = createSimRuntime({ seed: 1 })
  const runtime = world.machine('broker')
  const image = new MutableMetadataImage()
  const parsed = parseBrokerConfig(
    new Map(Object.entries({ 'node.id': String(NODE_ID), 'log.dirs': DATA_DIRECTORY, ...properties })),
  )
  if (parsed.errors.length > 0) throw new Error(parsed.errors.join('\n'))
  const settings = new BrokerSettings({ nodeId: NODE_ID, startUp: parsed.config, image })
  const { files, clock, scheduler, reactor, random, trace } = runtime
  const filePool = new FilePool(files)
  const logs = new LogManager({
    context: { files, clock, scheduler, reactor, random, trace, filePool, tailCache: new TailCache(1 << 20) },
    clusterId: CLUSTER_ID,
    nodeId: NODE_ID,
    logDirectories: settings.config.get('log.dirs') ?? [DATA_DIRECTORY],
    configOf: () => logConfig(),
    onDirectoryFailure: () => replicas.onDirectoryFailed(),
  })
  logs.open()
  const replicas = new ReplicaManager({
    nodeId: NODE_ID,
    runtime,
    scheduler,
    logs,
    metadata: image,
    topicConfig: (topic) => settings.topicConfig(topic),
    replicaLagTimeMaxMs: () => 30_000,
    proposeIsr: () => undefined,
    throttle: new ReplicationThrottle({
      nodeId: NODE_ID,
      clock,
      rate: () => null,
      replicasOf: () => [],
      windowCount: 1,
      windowMs: 1000,
    }),
  })
  const log = logs.getOrCreate({ topic: '__cluster_metadata', partition: 0 }, { topicId: METADATA_TOPIC_ID })
  if (log === undefined) throw new Error('no metadata log')
  const listener = {
    onSnapshot: () => undefined,
    onCommit: () => undefined,
    onHighWatermark: () => undefined,
  }
  const metadataLog = new MetadataLog({ nodeId: NODE_ID, runtime, log, listener })
  metadataLog.start()
  const telemetry = new ClientTelemetry({
    clock,
    random,
    image,
    maxPushBytes: () => settings.config.get('telemetry.max.bytes'),
  })
  const windows = { windowCount: 11, windowMs: 1000 }
  const quotas = new ClientQuotas({ clock, windows, mutationWindows: windows })
  const offered = {
    nodeId: NODE_ID,
    clusterId: CLUSTER_ID,
    runtime,
    scheduler,
    settings,
    metadata: image,
    metadataLog,
    loggers: new BrokerLoggers(),
    telemetry,
    quotas,
    logs,
    replicas,
    endpointOf: (brokerId: number, listenerName: string) =>
      image.isBrokerActive(brokerId)
        ? image.brokers.get(brokerId)?.endpoints.find((endpoint) => endpoint.listenerName === listenerName)
        : undefined,
  }
  // What the handlers under test do not use is not there; one that uses it fails at once.
  const broker = offered as unknown as BrokerServices
  const listeners = [settings, replicas, telemetry, quotas]
  const publish = (...records: readonly MetadataRecord[]): void => {
    for (const record of records) image.replay(record)
    const delta = image.takeDelta()
    for (const each of listeners) each.onMetadata(image, delta)
  }
  return {
    broker,
    publish,
    createTopic: (name, replicas) => {
      const topicId = random.uuid()
      publish(
        metadataRecord('TopicRecord', 0, { name, topicId }),
        ...replicas.map((nodes, partitionId) =>
          metadataRecord('PartitionRecord', 1, {
            partitionId,
            topicId,
            replicas: [...nodes],
            isr: [...nodes],
            removingReplicas: [],
            addingReplicas: [],
            leader: nodes[0] ?? -1,
            leaderEpoch: 0,
            partitionEpoch: 0,
            directories: nodes.map(() => random.uuid()),
          }),
        ),
      )
      return topicId
    },
    registerBroker: (brokerId, rack) => {
      const brokerEpoch = 10 + brokerId
      publish(
        metadataRecord('RegisterBrokerRecord', 3, {
          brokerId,
          brokerEpoch,
          incarnationId: random.uuid(),
          endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9000 + brokerId, securityProtocol: 0 }],
          features: [],
          rack: rack ?? null,
          logDirs: [random.uuid()],
        }),
        metadataRecord('UnfenceBrokerRecord', 0, { id: brokerId, epoch: brokerEpoch }),
      )
    },
    setConfig: (resourceType, resourceName, configs) =>
      publish(
        ...Object.entries(configs).map(([name, value]) =>
          metadataRecord('ConfigRecord', 0, { resourceType, resourceName, name, value }),
        ),
      ),
    call: (handler, version, request, options = {}) => {
      const context = contextOf(broker, handler.api.key, version, options)
      const decoded = decodeRequest(handler.api, version, encodeRequest(handler.api, version, request))
      const answer = handler.handle(context, decoded)
      const response = answer instanceof Deferred ? answer.value : answer
      if (typeof response !== 'object') throw new Error('not answered')
      const frame = encodeResponse(handler.api, version, response as ResponseInputOf<typeof handler.api>)
      return decodeResponse(handler.api, version, frame)
    },
    advance: (ms) => world.advance(ms),
    breakDisk: () => {
      for (const directory of logs.liveDirectories) directory.fail(DISK_ERROR)
    },
  }
}

const DISK_ERROR = new FileError('EIO', DATA_DIRECTORY, 'the disk of the test is broken')

function contextOf(
  broker: BrokerServices,
  apiKey: number,
  apiVersion: number,
  options: CallOptions,
): RequestContext {
  const principal = { type: 'User', name: 'ANONYMOUS', isTokenAuthenticated: false }
  const kind: ListenerKind = 'broker'
  return {
    broker,
    principal,
    apiKey,
    apiVersion,
    correlationId: 0,
    clientId: options.clientId ?? 'test',
    receivedMs: broker.runtime.clock.monotonicMs(),
    mayReuseMemory: false,
    connection: {
      id: 'connection',
      listener: { name: 'PLAINTEXT', kind, securityProtocol: 'PLAINTEXT' },
      clientAddress: '127.0.0.1',
      clientPort: 50_000,
      principal,
      clientSoftwareName: options.clientSoftwareName ?? '',
      clientSoftwareVersion: '',
      onClosed: () => () => undefined,
    },
  }
}
