/**
 * AlterClientQuotas (KIP-546): limits of users, clients and addresses.
 */
import type { AlterClientQuotas } from '../../common/protocol/apis/49-alter-client-quotas.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { quotaKey } from '../metadata/image-builder.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import type { ControllerMachine } from './machine.ts'
import { type ApiError, apiError, type ControllerOutcome, NO_ERROR, repeated } from './refusals.ts'

type Request = RequestOf<typeof AlterClientQuotas>
type Entry = Request['entries'][number]

const MAX_INT = 2_147_483_647
const MAX_LONG = 2 ** 63

type QuotaAnswer = ResponseInputOf<typeof AlterClientQuotas>['entries'][number]

type QuotaType = 'INT' | 'LONG' | 'DOUBLE'

const CLIENT_KEYS: ReadonlyMap<string, QuotaType> = new Map([
  ['producer_byte_rate', 'LONG'],
  ['consumer_byte_rate', 'LONG'],
  ['request_percentage', 'DOUBLE'],
  ['controller_mutation_rate', 'DOUBLE'],
])
const ADDRESS_KEYS: ReadonlyMap<string, QuotaType> = new Map([['connection_creation_rate', 'INT']])

/** Each entry is decided for itself. */
export function alterClientQuotas(
  machine: ControllerMachine,
  request: Request,
): ControllerOutcome<ResponseInputOf<typeof AlterClientQuotas>> {
  const records: MetadataRecord[] = []
  /** By entity: of an entity that comes twice the first is carried out, and the answer tells of the second. */
  const answers = new Map<string, QuotaAnswer>()
  for (const { entity: named, ops } of request.entries) {
    const parts = new Map(named.map(({ entityType, entityName }) => [entityType, entityName]))
    const key = quotaKey(parts)
    const entry = { entity: [...parts].map(([entityType, entityName]) => ({ entityType, entityName })), ops }
    const isRepeated = answers.has(key) || repeated(ops.map((op) => op.key)).size > 0
    const { error, message } = isRepeated
      ? apiError(ErrorCode.INVALID_REQUEST, `Ignoring duplicate entity ${entityText(entry)}`)
      : alterEntity(machine, entry, key, records)
    answers.set(key, { errorCode: error, errorMessage: message, entity: entry.entity })
  }
  return { records: request.validateOnly ? [] : records, response: { entries: [...answers.values()] } }
}

function entityText({ entity }: Entry): string {
  const parts = entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`)
  return `ClientQuotaEntity(entries={${parts.join(', ')}})`
}

function alterEntity(
  machine: ControllerMachine,
  entry: Entry,
  entityKey: string,
  records: MetadataRecord[],
): ApiError {
  const invalidEntity = checkEntity(entry)
  if (invalidEntity !== undefined) return apiError(ErrorCode.INVALID_REQUEST, invalidEntity)
  const isAddress = entry.entity.some(({ entityType }) => entityType === 'ip')
  const known = isAddress ? ADDRESS_KEYS : CLIENT_KEYS
  const current = machine.image.quotas.get(entityKey)?.values
  const changes: MetadataRecord[] = []
  for (const { key, value, remove } of entry.ops) {
    const type = known.get(key)
    if (type === undefined) {
      return apiError(ErrorCode.INVALID_REQUEST, `Invalid configuration key ${key}`)
    }
    const invalidValue = remove ? undefined : checkValue(key, type, value)
    if (invalidValue !== undefined) return apiError(ErrorCode.INVALID_REQUEST, invalidValue)
    const isChange = remove ? current?.has(key) === true : current?.get(key) !== value
    if (!isChange) continue
    const entity = entry.entity.map(({ entityType, entityName }) => ({ entityType, entityName }))
    changes.push(metadataRecord('ClientQuotaRecord', 0, { entity, key, value: remove ? 0 : value, remove }))
  }
  records.push(...changes)
  return NO_ERROR
}

function checkEntity({ entity }: Entry): string | undefined {
  if (entity.length === 0) return 'Invalid empty client quota entity'
  const types = new Set(entity.map(({ entityType }) => entityType))
  for (const { entityType, entityName } of entity) {
    if (entityType !== 'user' && entityType !== 'client-id' && entityType !== 'ip') {
      return `Unhandled client quota entity type: ${entityType}`
    }
    if (entityName === '') return `Empty ${entityType} not supported`
  }
  if (!types.has('ip')) return undefined
  if (types.size > 1) {
    return 'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId'
  }
  const [address] = entity
  const name = address?.entityName ?? null
  return name === null || isAddress(name) ? undefined : `${name} is not a valid IP or resolvable host.`
}

/** An IPv4 or IPv6 address, or what could be the name of a host: names are not looked up. */
function isAddress(text: string): boolean {
  if (/^\d+(\.\d+){3}$/.test(text)) return text.split('.').every((part) => Number(part) <= 255)
  if (text.includes(':')) return /^[0-9a-fA-F:.]+(%\w+)?$/.test(text)
  return /[a-zA-Z]/.test(text) && /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(text)
}

function checkValue(key: string, type: QuotaType, value: number): string | undefined {
  if (!Number.isFinite(value)) return `Quota ${key} must be a finite number`
  if (value <= 0) return `Quota ${key} must be greater than 0`
  if (type === 'DOUBLE') return undefined
  if (value > (type === 'INT' ? MAX_INT : MAX_LONG))
    return `Proposed value for ${key} is too large for ${type === 'INT' ? 'an' : 'a'} ${type}.`
  // A rest below a millionth is what computing in floating point leaves.
  return Math.abs(value - Math.round(value)) > 1e-6 ? `${key} cannot be a fractional value.` : undefined
}
