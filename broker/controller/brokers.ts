/**
 * Brokers: registration, heartbeats, fencing and leaving for good.
 *
 *     registered, fenced ──caught up with its registration──► unfenced ──wants to stop, leads something──► controlled shutdown
 *            ▲  │                                               │  │                                             │
 *            │  └──wants to stop──► shut down now ◄──leads nothing──┘  └──silent for a session, or wants to──► fenced   │
 *            └───────────────────────────────────── all others have read the handover ◄──────────────────────────┘
 *
 * A fenced broker is in no ISR and leads nothing. A new incarnation of a broker proves a clean shutdown by the broker epoch it
 * had; without that proof it may have lost records, so it leaves ISR and ELR before it can be elected (KIP-966).
 */

import type { BrokerRegistration } from '../../common/protocol/apis/62-broker-registration.ts'
import type { BrokerHeartbeat } from '../../common/protocol/apis/63-broker-heartbeat.ts'
import type { UnregisterBroker } from '../../common/protocol/apis/64-unregister-broker.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { METADATA_VERSION_FEATURE } from '../metadata/features.ts'
import type { BrokerImage } from '../metadata/image.ts'
import { RECORD_VERSIONS } from '../metadata/image-records.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import type { ControllerMachine } from './machine.ts'
import { brokerChangeRecords, equalLists, partitionsWith } from './partitions.ts'
import { type ApiError, apiError, type ControllerOutcome, NO_ERROR, withoutRecords } from './refusals.ts'

type RegistrationRequest = RequestOf<typeof BrokerRegistration>
type RegistrationResponse = ResponseInputOf<typeof BrokerRegistration>

/** Versions of BrokerRegistrationChangeRecord that know the field which is set. */
const CHANGE_VERSIONS = { FENCED: 0, SHUTDOWN: 1, DIRECTORIES: 2, CORDONED: 3 } as const

const RESERVED_DIRECTORIES = 100

/** STALE_BROKER_EPOCH unless the broker is registered with just this epoch. */
export function checkBrokerEpoch(
  machine: ControllerMachine,
  brokerId: number,
  brokerEpoch: number,
): ApiError {
  const broker = machine.image.brokers.get(brokerId)
  if (broker === undefined) {
    return apiError(ErrorCode.STALE_BROKER_EPOCH, `No broker registration found for broker id ${brokerId}`)
  }
  if (broker.epoch !== brokerEpoch) {
    const message = `Expected broker epoch ${broker.epoch}, but got broker epoch ${brokerEpoch}`
    return apiError(ErrorCode.STALE_BROKER_EPOCH, message)
  }
  return NO_ERROR
}

/**
 * BrokerRegistration. The broker epoch is the offset at which these records begin, so no two incarnations share one.
 * @param options.sessionTimeoutMs `broker.session.timeout.ms`
 * @param options.provesCleanShutdown whether the request's version can name the previous epoch (v3)
 */
export function registerBroker(
  machine: ControllerMachine,
  request: RegistrationRequest,
  options: { sessionTimeoutMs: number; provesCleanShutdown: boolean },
): ControllerOutcome<RegistrationResponse> & { readonly message: string | null } {
  const { brokerId, incarnationId } = request
  const existing = machine.image.brokers.get(brokerId)
  const refusal = checkRegistration(machine, request, existing, options.sessionTimeoutMs)
  if (refusal !== undefined) {
    return { records: [], response: { errorCode: refusal.error }, message: refusal.message }
  }
  const isSameIncarnation = existing?.incarnationId === incarnationId
  const records: MetadataRecord[] = []
  if (!isSameIncarnation) {
    const isClean =
      !options.provesCleanShutdown ||
      (existing !== undefined && existing.epoch === request.previousBrokerEpoch)
    records.push(...shutdownRecords(machine, brokerId, isClean))
  }
  const brokerEpoch = isSameIncarnation ? existing.epoch : machine.environment.nextWriteOffset()
  records.push(
    metadataRecord('RegisterBrokerRecord', RECORD_VERSIONS.REGISTER_BROKER, {
      brokerId,
      incarnationId,
      brokerEpoch,
      endPoints: request.listeners.map(({ name, host, port, securityProtocol }) => {
        return { name, host, port, securityProtocol }
      }),
      features: request.features.map(({ name, minSupportedVersion, maxSupportedVersion }) => {
        return { name, minSupportedVersion, maxSupportedVersion }
      }),
      rack: request.rack,
      fenced: isSameIncarnation ? existing.isFenced : true,
      inControlledShutdown: isSameIncarnation ? existing.inControlledShutdown : false,
      logDirs: [...request.logDirs].sort(compareUuids),
    }),
  )
  return { records, response: { errorCode: ErrorCode.NONE, brokerEpoch }, message: null }
}

function checkRegistration(
  machine: ControllerMachine,
  request: RegistrationRequest,
  existing: BrokerImage | undefined,
  sessionTimeoutMs: number,
): ApiError | undefined {
  const { clusterId } = machine.environment
  if (request.clusterId !== clusterId) {
    const message = `Expected cluster ID ${clusterId}, but got cluster ID ${request.clusterId}`
    return apiError(ErrorCode.INCONSISTENT_CLUSTER_ID, message)
  }
  const isOther = existing !== undefined && existing.incarnationId !== request.incarnationId
  const isAlive = machine.sessions.isValid(request.brokerId, sessionTimeoutMs)
  if (isOther && isAlive && !existing.inControlledShutdown) {
    return apiError(
      ErrorCode.DUPLICATE_BROKER_REGISTRATION,
      "Another broker is registered with that broker id. If the broker was recently restarted this should self-resolve once the heartbeat manager expires the broker's session.",
    )
  }
  if (request.isMigratingZkBroker) {
    const message = 'Controller does not support registering ZK brokers.'
    return apiError(ErrorCode.BROKER_ID_NOT_REGISTERED, message)
  }
  return checkDirectories(machine, request) ?? checkFeatures(machine, request)
}

function checkDirectories(machine: ControllerMachine, request: RegistrationRequest): ApiError | undefined {
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REGISTRATION, message)
  if (request.logDirs.length === 0) return invalid('No directories specified in request')
  if (request.logDirs.some(isReserved)) return invalid('Reserved directory ID in request')
  if (new Set(request.logDirs).size < request.logDirs.length)
    return invalid('Duplicate directory ID in request')
  for (const broker of machine.image.brokers.values()) {
    if (broker.id === request.brokerId) continue
    const shared = request.logDirs.find((directory) => broker.directories.includes(directory))
    if (shared !== undefined) {
      return invalid(`Broker ${broker.id} is already registered with directory ${shared}`)
    }
  }
  return undefined
}

/** The first hundred uuids have meanings of their own. */
function isReserved(uuid: string): boolean {
  const bytes = Buffer.from(uuid, 'base64url')
  return bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] ?? 0) < RESERVED_DIRECTORIES
}

/** Every finalized feature must lie in the broker's range; one that it does not name counts as 0-0. */
function checkFeatures(machine: ControllerMachine, request: RegistrationRequest): ApiError | undefined {
  const ranges = new Map(request.features.map((feature) => [feature.name, feature]))
  if (!ranges.has(METADATA_VERSION_FEATURE)) {
    return apiError(ErrorCode.INVALID_REGISTRATION, "Request features do not contain 'metadata.version'")
  }
  for (const [name, level] of machine.image.features) {
    const range = ranges.get(name)
    const min = range?.minSupportedVersion ?? 0
    const max = range?.maxSupportedVersion ?? 0
    if (level >= min && level <= max) continue
    const message = `Unable to register because the broker does not support finalized version ${level} of ${name}. The broker wants a version between ${min} and ${max}, inclusive.`
    return apiError(ErrorCode.UNSUPPORTED_VERSION, message)
  }
  return undefined
}

function compareUuids(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'base64url'), Buffer.from(right, 'base64url'))
}

/** What the end of an incarnation means for its partitions. */
function shutdownRecords(machine: ControllerMachine, brokerId: number, isClean: boolean): MetadataRecord[] {
  const inIsr = partitionsWith(machine, brokerId, 'isr')
  if (isClean || !machine.isElrEnabled) return brokerChangeRecords(machine, inIsr, { leaving: brokerId })
  return [
    ...brokerChangeRecords(machine, inIsr, { unclean: brokerId }),
    ...brokerChangeRecords(machine, partitionsWith(machine, brokerId, 'elr'), { unclean: brokerId }),
  ]
}

type HeartbeatRequest = RequestOf<typeof BrokerHeartbeat>
type HeartbeatResponse = ResponseInputOf<typeof BrokerHeartbeat>

type BrokerState = 'fenced' | 'unfenced' | 'controlled shutdown' | 'shutdown now'

/** BrokerHeartbeat. The session begins anew, also when nothing else changes. */
export function brokerHeartbeat(
  machine: ControllerMachine,
  request: HeartbeatRequest,
): ControllerOutcome<HeartbeatResponse> & { readonly message: string | null } {
  const { brokerId, brokerEpoch, currentMetadataOffset } = request
  const stale = checkBrokerEpoch(machine, brokerId, brokerEpoch)
  const broker = machine.image.brokers.get(brokerId)
  if (stale.error !== ErrorCode.NONE || broker === undefined) {
    return {
      records: [],
      response: { errorCode: stale.error, shouldShutDown: false },
      message: stale.message,
    }
  }
  const before = stateOf(broker)
  const after = nextState(machine, request, before)
  const records: MetadataRecord[] = []
  if (after !== before) {
    if (after === 'unfenced') records.push(...unfenceRecords(machine, broker))
    else if (after === 'controlled shutdown') records.push(...controlledShutdownRecords(machine, broker))
    else if (!broker.isFenced) records.push(...fenceRecords(machine, broker))
  }
  machine.sessions.touch(brokerId, currentMetadataOffset)
  if (after === 'controlled shutdown') noteShutdown(machine, brokerId, before, records.length)
  records.push(...directoryRecords(machine, broker, request))
  return {
    records,
    response: {
      errorCode: ErrorCode.NONE,
      isCaughtUp: currentMetadataOffset >= machine.registerOffsetOf(brokerId),
      isFenced: after === 'fenced' || after === 'shutdown now',
      shouldShutDown: after === 'shutdown now',
    },
    message: null,
  }
}

/** The end of the records that take its leaderships away: others must have read them before the broker goes. */
function noteShutdown(
  machine: ControllerMachine,
  brokerId: number,
  before: BrokerState,
  records: number,
): void {
  if (records === 0 && before === 'controlled shutdown') return
  machine.sessions.setShutdownOffset(brokerId, machine.environment.nextWriteOffset() + records - 1)
}

function stateOf(broker: BrokerImage): BrokerState {
  if (broker.isFenced) return 'fenced'
  return broker.inControlledShutdown ? 'controlled shutdown' : 'unfenced'
}

function nextState(machine: ControllerMachine, request: HeartbeatRequest, state: BrokerState): BrokerState {
  const { brokerId, wantFence, wantShutDown, currentMetadataOffset } = request
  switch (state) {
    case 'fenced':
      if (wantShutDown) return 'shutdown now'
      return !wantFence && currentMetadataOffset >= machine.registerOffsetOf(brokerId) ? 'unfenced' : 'fenced'
    case 'unfenced':
      if (wantFence) return wantShutDown ? 'shutdown now' : 'fenced'
      if (!wantShutDown) return 'unfenced'
      return hasLeaderships(machine, brokerId) ? 'controlled shutdown' : 'shutdown now'
    default:
      if (hasLeaderships(machine, brokerId)) return 'controlled shutdown'
      return machine.sessions.shutdownOffsetOf(brokerId) <= lowestActiveOffset(machine)
        ? 'shutdown now'
        : 'controlled shutdown'
  }
}

function hasLeaderships(machine: ControllerMachine, brokerId: number): boolean {
  for (const { topicId, partitionId } of machine.partitionsByMember.get(brokerId) ?? []) {
    if (machine.partitionOf(topicId, partitionId)?.leaderId === brokerId) return true
  }
  return false
}

/** How far the slowest active broker has read the metadata log. */
function lowestActiveOffset(machine: ControllerMachine): number {
  let lowest = Number.MAX_SAFE_INTEGER
  for (const id of machine.image.brokers.keys()) {
    if (machine.isActive(id)) lowest = Math.min(lowest, machine.sessions.metadataOffsetOf(id))
  }
  return lowest
}

function unfenceRecords(machine: ControllerMachine, broker: BrokerImage): MetadataRecord[] {
  return [
    metadataRecord('BrokerRegistrationChangeRecord', CHANGE_VERSIONS.FENCED, {
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      fenced: -1,
    }),
    ...brokerChangeRecords(machine, machine.leaderlessPartitions, { arriving: broker.id }),
  ]
}

export function fenceRecords(machine: ControllerMachine, broker: BrokerImage): MetadataRecord[] {
  return [
    ...brokerChangeRecords(machine, partitionsWith(machine, broker.id, 'isr'), { leaving: broker.id }),
    metadataRecord('BrokerRegistrationChangeRecord', CHANGE_VERSIONS.FENCED, {
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      fenced: 1,
    }),
  ]
}

function controlledShutdownRecords(machine: ControllerMachine, broker: BrokerImage): MetadataRecord[] {
  return [
    metadataRecord('BrokerRegistrationChangeRecord', CHANGE_VERSIONS.SHUTDOWN, {
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      inControlledShutdown: 1,
    }),
    ...brokerChangeRecords(machine, partitionsWith(machine, broker.id, 'isr'), { leaving: broker.id }),
  ]
}

/** Directories that failed or were cordoned since (KIP-858, KIP-1066). */
function directoryRecords(
  machine: ControllerMachine,
  broker: BrokerImage,
  { offlineLogDirs, cordonedLogDirs }: HeartbeatRequest,
): MetadataRecord[] {
  const { id: brokerId, epoch: brokerEpoch } = broker
  const records: MetadataRecord[] = []
  const failed = broker.directories.filter((directory) => offlineLogDirs.includes(directory))
  if (failed.length > 0) {
    const affected = [...partitionsWith(machine, brokerId, 'isr')].filter(({ topicId, partitionId }) => {
      const partition = machine.partitionOf(topicId, partitionId)
      const directory = partition?.directories[partition.replicas.indexOf(brokerId)]
      return directory !== undefined && failed.includes(directory)
    })
    records.push(
      ...brokerChangeRecords(machine, affected, { leaving: brokerId }),
      metadataRecord('BrokerRegistrationChangeRecord', CHANGE_VERSIONS.DIRECTORIES, {
        brokerId,
        brokerEpoch,
        logDirs: broker.directories.filter((directory) => !failed.includes(directory)),
      }),
    )
  }
  const isCordonChange =
    cordonedLogDirs !== null &&
    (broker.cordonedDirectories === null || !equalLists(broker.cordonedDirectories, cordonedLogDirs))
  if (isCordonChange) {
    records.push(
      metadataRecord('BrokerRegistrationChangeRecord', CHANGE_VERSIONS.CORDONED, {
        brokerId,
        brokerEpoch,
        cordonedLogDirs,
      }),
    )
  }
  return records
}

/** UnregisterBroker: the broker is forgotten; it leaves every ISR. */
export function unregisterBroker(
  machine: ControllerMachine,
  { brokerId }: RequestOf<typeof UnregisterBroker>,
): ControllerOutcome<ResponseInputOf<typeof UnregisterBroker>> {
  const broker = machine.image.brokers.get(brokerId)
  if (broker === undefined) {
    const errorMessage = `Broker ID ${brokerId} is not currently registered`
    return withoutRecords({ errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED, errorMessage })
  }
  const records = [
    ...brokerChangeRecords(machine, partitionsWith(machine, brokerId, 'isr'), { leaving: brokerId }),
    ...brokerChangeRecords(machine, partitionsWith(machine, brokerId, 'elr'), { leaving: brokerId }),
    metadataRecord('UnregisterBrokerRecord', 0, { brokerId, brokerEpoch: broker.epoch }),
  ]
  return { records, response: { errorCode: ErrorCode.NONE, errorMessage: '' } }
}
