import { beforeEach, describe, expect, it } from 'vitest'
import { MutableMetadataImage } from '../../../../broker/metadata/image-builder.ts'
import { metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import { ClientQuotas, type MeteredRequest } from '../../../../broker/quota/client-quotas.ts'
import { Produce } from '../../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../../common/protocol/apis/01-fetch.ts'
import { Metadata } from '../../../../common/protocol/apis/03-metadata.ts'
import { WriteTxnMarkers } from '../../../../common/protocol/apis/27-write-txn-markers.ts'

const WINDOWS = { windowCount: 11, windowMs: 1000 }

let nowMs: number
let image: MutableMetadataImage
let quotas: ClientQuotas

beforeEach(() => {
  nowMs = 0
  image = new MutableMetadataImage()
  const clock = { monotonicMs: () => nowMs, wallMs: () => 0 }
  quotas = new ClientQuotas({ clock, windows: WINDOWS, mutationWindows: WINDOWS })
})

function set(key: string, value: number, remove = false): void {
  const entity = key.startsWith('connection')
    ? [{ entityType: 'ip', entityName: null }]
    : [{ entityType: 'client-id', entityName: 'app' }]
  image.replay(metadataRecord('ClientQuotaRecord', 0, { entity, key, value, remove }))
  quotas.onMetadata(image, image.takeDelta())
}

function request(apiKey: number, handlingMs = 0, clientId = 'app'): MeteredRequest {
  return { apiKey, principal: { name: 'ANONYMOUS' }, clientId, receivedMs: nowMs, handlingMs }
}

describe('client quotas', () => {
  it('are active while there is one of users or clients', () => {
    expect(quotas.isActive).toBe(false)
    set('connection_creation_rate', 1)
    expect(quotas.isActive).toBe(false)
    set('producer_byte_rate', 1)
    expect(quotas.isActive).toBe(true)
    set('producer_byte_rate', 0, true)
    expect(quotas.isActive).toBe(false)
  })

  it('count the whole size of a produce, and of nothing else', () => {
    set('producer_byte_rate', 1000)
    expect(quotas.meter(request(Metadata.key), 1e9, false)).toBe(0)
    expect(quotas.meter(request(Produce.key, 0, 'other'), 1e9, false)).toBe(0)
    expect(quotas.meter(request(Produce.key), 12_000, false)).toBe(2_000)
  })

  it('count the time of a request in percent of one processor, and hold back for one window at most', () => {
    set('request_percentage', 5)
    expect(quotas.meter(request(Metadata.key, 500), 0, false)).toBe(0)
    expect(quotas.meter(request(Metadata.key, 20), 0, false)).toBe(400)
    expect(quotas.meter(request(Metadata.key, 2_000), 0, false)).toBe(1_000)
  })

  it('count no time of a produce without answer, nor of what only brokers ask', () => {
    set('request_percentage', 1)
    expect(quotas.meter(request(Produce.key, 5_000), 0, true)).toBe(0)
    expect(quotas.meter(request(WriteTxnMarkers.key, 5_000), 0, false)).toBe(0)
    expect(quotas.meter(request(Metadata.key, 5_000), 0, false)).toBe(1_000)
  })

  it('hold a client back for the longest of its times', () => {
    set('producer_byte_rate', 1000)
    set('request_percentage', 1)
    expect(quotas.meter(request(Produce.key, 5_000), 13_000, false)).toBe(3_000)
    nowMs = 60_000
    expect(quotas.meter(request(Produce.key, 5_000), 10_100, false)).toBe(1_000)
  })

  it('keep what was decided for a request elsewhere', () => {
    set('request_percentage', 1)
    expect(quotas.meter({ ...request(Metadata.key, 5_000), throttleTimeMs: 7 }, 0, false)).toBe(7)
  })

  it('do not count the bytes of a fetch that is above, whatever quota it is above of', () => {
    set('consumer_byte_rate', 1000)
    expect(quotas.meterFetch(request(Fetch.key), () => 10_000)).toBe(0)
    expect(quotas.meterFetch(request(Fetch.key), () => 10_000)).toBe(10_000)
    nowMs = 5_000
    expect(quotas.meterFetch(request(Fetch.key), () => 1_000)).toBe(1_000)
    nowMs = 30_000
    set('request_percentage', 1)
    expect(quotas.meterFetch(request(Fetch.key, 200), () => 10_000)).toBe(1_000)
    set('request_percentage', 1, true)
    expect(quotas.meterFetch(request(Fetch.key), () => 10_000)).toBe(0)
  })

  it('let a fetch ask for no more than its quota gives after silence', () => {
    expect(quotas.maxFetchBytes(request(Fetch.key))).toBe(Number.POSITIVE_INFINITY)
    set('consumer_byte_rate', 1000)
    expect(quotas.maxFetchBytes(request(Fetch.key))).toBe(10_000)
  })

  it('count the connections of each address, but not those that are too many', () => {
    set('connection_creation_rate', 1)
    for (let made = 0; made < 10; made += 1) expect(quotas.meterConnection('10.0.0.1')).toBe(0)
    expect(quotas.meterConnection('10.0.0.1')).toBe(1_000)
    expect(quotas.meterConnection('10.0.0.1')).toBe(1_000)
    expect(quotas.meterConnection('10.0.0.2')).toBe(0)
    nowMs = 11_000
    expect(quotas.meterConnection('10.0.0.1')).toBe(0)
    set('connection_creation_rate', 1, true)
    for (let made = 0; made < 20; made += 1) expect(quotas.meterConnection('10.0.0.1')).toBe(0)
  })

  it('go on with what was counted when a limit changes', () => {
    set('producer_byte_rate', 10_000)
    expect(quotas.meter(request(Produce.key), 20_000, false)).toBe(0)
    set('producer_byte_rate', 1_000)
    expect(quotas.meter(request(Produce.key), 0, false)).toBe(10_000)
  })
})
