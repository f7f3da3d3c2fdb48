import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createAcls, deleteAcls } from '../../../../broker/controller/acls.ts'
import { alterConfigs, incrementalAlterConfigs } from '../../../../broker/controller/configs.ts'
import { updateFeatures } from '../../../../broker/controller/features.ts'
import { alterClientQuotas } from '../../../../broker/controller/quotas.ts'
import { alterUserScramCredentials } from '../../../../broker/controller/scram.ts'
import { CreateAcls } from '../../../../common/protocol/apis/30-create-acls.ts'
import { DeleteAcls } from '../../../../common/protocol/apis/31-delete-acls.ts'
import { AlterConfigs } from '../../../../common/protocol/apis/33-alter-configs.ts'
import { IncrementalAlterConfigs } from '../../../../common/protocol/apis/44-incremental-alter-configs.ts'
import { AlterClientQuotas } from '../../../../common/protocol/apis/49-alter-client-quotas.ts'
import { AlterUserScramCredentials } from '../../../../common/protocol/apis/51-alter-user-scram-credentials.ts'
import { UpdateFeatures } from '../../../../common/protocol/apis/57-update-features.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { Harness, requestOf } from './harness.ts'

const SET = 0
const DELETE = 1

describe('dynamic configs', () => {
  type Change = readonly [name: string, operation: number, value: string | null]
  const alter = (harness: Harness, resourceType: number, resourceName: string, ...changes: Change[]) => {
    const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
    const resources = [{ resourceType, resourceName, configs }]
    const request = requestOf(IncrementalAlterConfigs, { resources, validateOnly: false })
    const { response, records } = harness.writeAndSee((machine) => incrementalAlterConfigs(machine, request))
    return { ...response.responses[0], records: records.map(({ type }) => type) }
  }

  it('are changed key by key', () => {
    const harness = new Harness().addBrokers(1)
    harness.createTopic('a', [[1]], { 'retention.ms': '5', 'segment.ms': '6' })
    alter(harness, 2, 'a', ['retention.ms', SET, '7'], ['segment.ms', DELETE, null])
    expect(Object.fromEntries(harness.image.configsOf(2, 'a'))).toEqual({ 'retention.ms': '7' })
    expect(alter(harness, 2, 'a', ['retention.ms', SET, '7']).records).toEqual([])
  })

  it('are replaced as a whole by AlterConfigs', () => {
    const harness = new Harness().addBrokers(1)
    harness.createTopic('a', [[1]], { 'retention.ms': '5', 'segment.ms': '6' })
    const configs = [{ name: 'retention.ms', value: '7' }]
    const resources = [{ resourceType: 2, resourceName: 'a', configs }]
    const request = requestOf(AlterConfigs, { resources, validateOnly: false })
    harness.write((machine) => alterConfigs(machine, request))
    expect(Object.fromEntries(harness.image.configsOf(2, 'a'))).toEqual({ 'retention.ms': '7' })
  })

  it('of topics that do not exist are refused', () => {
    const harness = new Harness().addBrokers(1)
    expect(alter(harness, 2, 'nope', ['retention.ms', SET, '7'])).toMatchObject({
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    })
  })

  it('that change min.insync.replicas clear the eligible leaders that were found with it, with the partition epoch', () => {
    const harness = new Harness().addBrokers(1, 2, 3)
    harness.createTopic('a', [[2, 3]], { 'min.insync.replicas': '2' })
    harness.silence(2)
    const { partitionEpoch } = harness.partition('a')
    expect(harness.partition('a').elr).toEqual([2])
    const { records } = alter(harness, 2, 'a', ['min.insync.replicas', SET, '1'])
    expect(records).toEqual(['ConfigRecord', 'ClearElrRecord'])
    expect(harness.partition('a')).toMatchObject({ elr: [], partitionEpoch: partitionEpoch + 1 })
  })

  it('of brokers are written again when they are set to what they are, so that brokers take note', () => {
    const harness = new Harness().addBrokers(1)
    alter(harness, 4, '', ['log.cleaner.threads', SET, '2'], ['background.threads', SET, '9'])
    expect(alter(harness, 4, '', ['log.cleaner.threads', SET, '2']).records).toEqual(['ConfigRecord'])
    expect(alter(harness, 4, '', ['min.insync.replicas', SET, '1']).records).toEqual([
      'ConfigRecord',
      'ClearElrRecord',
    ])
  })

  it('have one min.insync.replicas for the cluster, and none for a broker', () => {
    const harness = new Harness().addBrokers(1)
    expect(alter(harness, 4, '1', ['min.insync.replicas', SET, '2']).errorCode).toBe(ErrorCode.INVALID_CONFIG)
    expect(alter(harness, 4, '', ['min.insync.replicas', DELETE, null]).errorCode).toBe(
      ErrorCode.INVALID_CONFIG,
    )
    expect(alter(harness, 4, '', ['min.insync.replicas', SET, '2']).errorCode).toBe(ErrorCode.NONE)
  })
})

describe('features', () => {
  const update = (harness: Harness, feature: string, maxVersionLevel: number, upgradeType = 1) => {
    const request = requestOf(UpdateFeatures, { featureUpdates: [{ feature, maxVersionLevel, upgradeType }] })
    return harness.write((machine) => updateFeatures(machine, request, 2))
  }
  const FAILED = 'The update failed for all features since the following feature had an error: '

  it('go down and up within what all nodes support', () => {
    const harness = new Harness().addBrokers(1)
    expect(update(harness, 'share.version', 1, 2).errorCode).toBe(ErrorCode.NONE)
    expect(harness.image.features.get('share.version')).toBe(1)
    expect(update(harness, 'share.version', 2).errorCode).toBe(ErrorCode.NONE)
    expect(update(harness, 'share.version', 3)).toMatchObject({ errorCode: ErrorCode.INVALID_UPDATE_VERSION })
  })

  it('go down only when that is said', () => {
    expect(update(new Harness(), 'share.version', 1)).toMatchObject({
      errorCode: ErrorCode.INVALID_UPDATE_VERSION,
      errorMessage: `${FAILED}Invalid update version 1 for feature share.version. Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.`,
    })
  })

  it('never go back over a metadata version that changed what records hold', () => {
    expect(update(new Harness(), 'metadata.version', 32, 2)).toMatchObject({
      errorCode: ErrorCode.INVALID_UPDATE_VERSION,
      errorMessage: `${FAILED}Unsupported metadata.version downgrade from 33 to 32. Refusing to perform the requested downgrade because it might delete metadata information.`,
    })
  })
})

describe('client quotas', () => {
  const alter = (harness: Harness, key: string, value: number, remove = false, entityType = 'user') => {
    const entity = [{ entityType, entityName: entityType === 'ip' ? '10.0.0.1' : 'alice' }]
    const entries = [{ entity, ops: [{ key, value, remove }] }]
    const request = requestOf(AlterClientQuotas, { entries, validateOnly: false })
    return harness.write((machine) => alterClientQuotas(machine, request)).entries[0]
  }

  it('are set and removed', () => {
    const harness = new Harness()
    alter(harness, 'producer_byte_rate', 1024)
    expect([...harness.image.quotas.values()]).toEqual([
      { parts: new Map([['user', 'alice']]), values: new Map([['producer_byte_rate', 1024]]) },
    ])
    alter(harness, 'producer_byte_rate', 0, true)
    expect(harness.image.quotas.size).toBe(0)
  })

  it('are refused when they could not be kept', () => {
    const harness = new Harness()
    const messageOf = (...change: Parameters<typeof alter> extends [Harness, ...infer Rest] ? Rest : never) =>
      alter(harness, ...change)?.errorMessage
    expect(messageOf('producer_byte_rate', -1)).toBe('Quota producer_byte_rate must be greater than 0')
    expect(messageOf('producer_byte_rate', 1.5)).toBe('producer_byte_rate cannot be a fractional value.')
    expect(messageOf('request_percentage', 1.5)).toBeNull()
    expect(messageOf('no_such_rate', 1)).toBe('Invalid configuration key no_such_rate')
    expect(messageOf('producer_byte_rate', 1, false, 'ip')).toBe(
      'Invalid configuration key producer_byte_rate',
    )
    expect(messageOf('connection_creation_rate', 1, false, 'ip')).toBeNull()
    expect(messageOf('producer_byte_rate', 1, false, 'shoe-size')).toBe(
      'Unhandled client quota entity type: shoe-size',
    )
  })
})

describe('SCRAM credentials', () => {
  const salt = Buffer.from('salt of the earth')
  const alter = (harness: Harness, iterations: number, mechanism = 1) => {
    const saltedPassword = pbkdf2Sync('secret', salt, 4096, 32, 'sha256')
    const upsertions = [{ name: 'alice', mechanism, iterations, salt, saltedPassword }]
    const request = requestOf(AlterUserScramCredentials, { deletions: [], upsertions })
    return harness.write((machine) => alterUserScramCredentials(machine, request)).results[0]
  }

  it('are kept as the keys that prove a password without telling it', () => {
    const harness = new Harness()
    expect(alter(harness, 4096)?.errorCode).toBe(ErrorCode.NONE)
    const [credential] = harness.image.scramCredentials.values()
    const saltedPassword = pbkdf2Sync('secret', salt, 4096, 32, 'sha256')
    const clientKey = createHmac('sha256', saltedPassword).update('Client Key').digest()
    expect(credential?.storedKey).toEqual(createHash('sha256').update(clientKey).digest())
    expect(credential?.serverKey).toEqual(createHmac('sha256', saltedPassword).update('Server Key').digest())
  })

  it('are refused when they are too weak or of no mechanism, and are not deleted when there are none', () => {
    const harness = new Harness()
    expect(alter(harness, 4095)?.errorCode).toBe(ErrorCode.UNACCEPTABLE_CREDENTIAL)
    expect(alter(harness, 4096, 9)?.errorCode).toBe(ErrorCode.UNSUPPORTED_SASL_MECHANISM)
    const deletions = [{ name: 'bob', mechanism: 1 }]
    const request = requestOf(AlterUserScramCredentials, { deletions, upsertions: [] })
    const { results } = harness.write((machine) => alterUserScramCredentials(machine, request))
    expect(results).toMatchObject([{ user: 'bob', errorCode: ErrorCode.RESOURCE_NOT_FOUND }])
  })
})

describe('ACLs', () => {
  const acl = {
    resourceType: 2,
    resourceName: 'orders',
    resourcePatternType: 3,
    principal: 'User:alice',
    host: '*',
    operation: 3,
    permissionType: 3,
  }
  const create = (harness: Harness, ...changes: Partial<typeof acl>[]) => {
    const request = requestOf(CreateAcls, { creations: changes.map((change) => ({ ...acl, ...change })) })
    return harness.write((machine) => createAcls(machine, request)).results
  }
  const remove = (harness: Harness, patternTypeFilter: number, resourceNameFilter: string | null) => {
    const filter = { resourceTypeFilter: 2, resourceNameFilter, patternTypeFilter }
    const filters = [{ ...filter, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }]
    const request = requestOf(DeleteAcls, { filters })
    return harness.write((machine) => deleteAcls(machine, request)).filterResults[0]?.matchingAcls
  }

  it('are made once however often they are created', () => {
    const harness = new Harness()
    expect(create(harness, {}, {})).toMatchObject([{ errorCode: 0 }, { errorCode: 0 }])
    create(harness, {})
    expect(harness.image.acls.size).toBe(1)
  })

  it('are refused when they hold what only filters may', () => {
    const [any, host, principal] = create(
      new Harness(),
      { operation: 1 },
      { host: '' },
      { principal: 'alice' },
    )
    expect(any).toEqual({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Invalid operation ANY' })
    expect(host?.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(principal?.errorMessage).toContain('no colon is present')
  })

  it('are found by a MATCH filter when they apply to a name: itself, prefixes of it and the wildcard', () => {
    const harness = new Harness()
    create(
      harness,
      {},
      { resourceName: 'ord', resourcePatternType: 4 },
      { resourceName: '*' },
      { resourceName: 'other' },
      { resourceName: 'orders-2', resourcePatternType: 4 },
    )
    expect(remove(harness, 2, 'orders')?.map(({ resourceName }) => resourceName)).toEqual([
      'orders',
      'ord',
      '*',
    ])
    expect(harness.image.acls.size).toBe(2)
    expect(remove(harness, 1, null)).toHaveLength(2)
  })
})
