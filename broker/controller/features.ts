/**
 * UpdateFeatures (KIP-584, KIP-778, KIP-1022): all updates of a request or none.
 */
import type { UpdateFeatures } from '../../common/protocol/apis/57-update-features.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import {
  ELR_FEATURE,
  type FeatureRange,
  KRAFT_VERSION_FEATURE,
  METADATA_CHANGING_LEVELS,
  METADATA_VERSION_FEATURE,
  SUPPORTED_FEATURES,
} from '../metadata/features.ts'
import { ConfigResourceType } from '../metadata/image.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import type { ControllerMachine } from './machine.ts'
import { type ApiError, apiError, type ControllerOutcome, NO_ERROR } from './refusals.ts'

type Request = RequestOf<typeof UpdateFeatures>
type Response = ResponseInputOf<typeof UpdateFeatures>

const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

interface FeatureUpdate {
  readonly feature: string
  readonly level: number
  readonly upgradeType: number
}

/** @param apiVersion 0 knows `allowDowngrade` instead of the upgrade type; from 2 on there are no results per feature */
export function updateFeatures(
  machine: ControllerMachine,
  request: Request,
  apiVersion: number,
): ControllerOutcome<Response> {
  const records: MetadataRecord[] = []
  const results: { feature: string; errorCode: ErrorCode; errorMessage: string | null }[] = []
  for (const update of request.featureUpdates) {
    const { feature, maxVersionLevel: level } = update
    const upgradeType = apiVersion > 0 ? update.upgradeType : update.allowDowngrade ? SAFE_DOWNGRADE : UPGRADE
    const { error, message } = updateFeature(machine, { feature, level, upgradeType }, records)
    if (error !== ErrorCode.NONE) {
      const errorMessage = `The update failed for all features since the following feature had an error: ${message}`
      return { records: [], response: { errorCode: error, errorMessage, results: [] } }
    }
    if (apiVersion < 2) results.push({ feature, errorCode: ErrorCode.NONE, errorMessage: 'NONE' })
  }
  return {
    records: request.validateOnly ? [] : records,
    response: { errorCode: ErrorCode.NONE, errorMessage: null, results },
  }
}

function updateFeature(
  machine: ControllerMachine,
  update: FeatureUpdate,
  records: MetadataRecord[],
): ApiError {
  const { feature, level, upgradeType } = update
  const invalid = (reason: string): ApiError => {
    const message = `Invalid update version ${level} for feature ${feature}. ${reason}`
    return apiError(ErrorCode.INVALID_UPDATE_VERSION, message)
  }
  if (![UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE].includes(upgradeType)) {
    return invalid('The controller does not support the given upgrade type.')
  }
  if (level < 0) return invalid('A feature version cannot be less than 0.')
  const unsupported = reasonNotSupported(machine, feature, level)
  if (unsupported !== undefined) return invalid(unsupported)
  const current = machine.image.features.get(feature) ?? 0
  if (level < current && upgradeType === UPGRADE) {
    return invalid(
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
    )
  }
  if (level > current && upgradeType !== UPGRADE) return invalid("Can't downgrade to a newer version.")
  if (feature === KRAFT_VERSION_FEATURE) {
    // The quorum's own version is changed in its control records; this quorum keeps the one it was formatted with.
    return level === current ? NO_ERROR : invalid("Can't change the version of this feature.")
  }
  if (feature === METADATA_VERSION_FEATURE && level < current) {
    const refusal = checkMetadataDowngrade(current, level, upgradeType)
    if (refusal !== undefined) return refusal
  }
  records.push(metadataRecord('FeatureLevelRecord', 0, { name: feature, featureLevel: level }))
  if (feature === ELR_FEATURE && level > 0 && current === 0) records.push(...elrActivationRecords(machine))
  return NO_ERROR
}

function checkMetadataDowngrade(current: number, level: number, upgradeType: number): ApiError | undefined {
  let isLossy = false
  for (let step = level + 1; step <= current; step++) isLossy ||= METADATA_CHANGING_LEVELS.has(step)
  if (!isLossy) return undefined
  const reason =
    upgradeType === UNSAFE_DOWNGRADE
      ? 'Unsafe metadata downgrade is not supported in this version.'
      : 'Refusing to perform the requested downgrade because it might delete metadata information.'
  const message = `Unsupported metadata.version downgrade from ${current} to ${level}. ${reason}`
  return apiError(ErrorCode.INVALID_UPDATE_VERSION, message)
}

/** With eligible leader replicas the cluster has one `min.insync.replicas`, and brokers none of their own (KIP-966). */
export function elrActivationRecords(machine: ControllerMachine): MetadataRecord[] {
  const { image, levels } = machine
  const name = 'min.insync.replicas'
  const resourceType = ConfigResourceType.BROKER
  const records: MetadataRecord[] = []
  if (!image.configsOf(resourceType, '').has(name)) {
    const value = levels.static.get(name) ?? '1'
    records.push(metadataRecord('ConfigRecord', 0, { resourceType, resourceName: '', name, value }))
  }
  for (const resourceName of image.configuredResources(resourceType)) {
    if (resourceName === '' || !image.configsOf(resourceType, resourceName).has(name)) continue
    records.push(metadataRecord('ConfigRecord', 0, { resourceType, resourceName, name, value: null }))
  }
  return records
}

/** Which node cannot follow; undefined when all can. */
function reasonNotSupported(machine: ControllerMachine, feature: string, level: number): string | undefined {
  const { image, environment } = machine
  const objection = (node: string, range: FeatureRange | undefined): string | undefined => {
    const min = range?.min ?? 0
    const max = range?.max ?? 0
    if (max === 0 && level > 0) return `${node} does not support this feature.`
    return level === 0 || (level >= min && level <= max)
      ? undefined
      : `${node} only supports versions ${min}-${max}`
  }
  const local = objection(`Local controller ${environment.nodeId}`, SUPPORTED_FEATURES.get(feature))
  if (local !== undefined) return local
  for (const broker of image.brokers.values()) {
    const reason = objection(`Broker ${broker.id}`, broker.features.get(feature))
    if (reason !== undefined) return reason
  }
  for (const controller of image.controllers.values()) {
    const reason = objection(`Controller ${controller.id}`, controller.features.get(feature))
    if (controller.id !== environment.nodeId && reason !== undefined) return reason
  }
  return undefined
}
