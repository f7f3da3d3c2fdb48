import { describe, expect, it } from 'vitest'
import { unregisterBroker } from '../../../../broker/controller/brokers.ts'
import { allocateProducerIds } from '../../../../broker/controller/producer-ids.ts'
import { decodeSnapshot, encodeImageSnapshot } from '../../../../broker/metadata/snapshot.ts'
import { UnregisterBroker } from '../../../../common/protocol/apis/64-unregister-broker.ts'
import { AllocateProducerIds } from '../../../../common/protocol/apis/67-allocate-producer-ids.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { Harness, requestOf } from './harness.ts'

describe('a broker', () => {
  it('registers fenced, and is unfenced once it has read its own registration', () => {
    const harness = new Harness()
    const offset = harness.log.logEndOffset
    expect(harness.register(2)).toEqual({ errorCode: 0, brokerEpoch: offset })
    expect(harness.image.brokers.get(2)).toMatchObject({ isFenced: true, epoch: offset })
    expect(harness.heartbeat(2, { offset: offset - 1 })).toMatchObject({ isFenced: true, isCaughtUp: false })
    expect(harness.heartbeat(2, { offset })).toMatchObject({ isFenced: false, isCaughtUp: true })
    expect(harness.image.brokers.get(2)?.isFenced).toBe(false)
  })

  it('is fenced when it is silent for a session', () => {
    const harness = new Harness().addBrokers(1, 2)
    harness.silence(2)
    expect(harness.image.brokers.get(2)?.isFenced).toBe(true)
    expect(harness.image.brokers.get(1)?.isFenced).toBe(false)
  })

  it('stays unfenced as long as it sends heartbeats', () => {
    const harness = new Harness().addBrokers(1)
    for (let second = 0; second < 30; second++) {
      harness.sim.advance(1000)
      harness.heartbeat(1)
    }
    expect(harness.image.brokers.get(1)?.isFenced).toBe(false)
  })

  it('may not take the id of a broker that is alive, but may when that is silent', () => {
    const harness = new Harness().addBrokers(1)
    expect(harness.register(1).errorCode).toBe(ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    harness.sim.advance(20_000)
    expect(harness.register(1).errorCode).toBe(ErrorCode.NONE)
  })

  it('of another cluster is refused', () => {
    const { errorCode } = new Harness().register(1, { clusterId: 'another-cluster-id-000' })
    expect(errorCode).toBe(ErrorCode.INCONSISTENT_CLUSTER_ID)
  })

  it('that registers again in the same incarnation keeps its epoch and its state', () => {
    const harness = new Harness().addBrokers(1)
    const { incarnationId = '', epoch } = harness.brokers.get(1) ?? {}
    expect(harness.register(1, { incarnationId }).brokerEpoch).toBe(epoch)
    expect(harness.image.brokers.get(1)?.isFenced).toBe(false)
  })

  it('with an old epoch is told so', () => {
    const harness = new Harness().addBrokers(1)
    harness.brokers.set(1, { incarnationId: '', epoch: 0 })
    expect(harness.heartbeat(1).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })

  it('that wants to stop hands its partitions over first, and goes when the others have read that', () => {
    const harness = new Harness().addBrokers(1, 2)
    harness.createTopic('orders', [[1, 2]])
    expect(harness.heartbeat(1, { wantShutDown: true }).shouldShutDown).toBe(false)
    expect(harness.partition('orders')).toMatchObject({
      leaderId: 2,
      isr: [2],
      leaderEpoch: 1,
      partitionEpoch: 1,
    })
    harness.heartbeat(2, { offset: 0 })
    expect(harness.heartbeat(1, { wantShutDown: true }).shouldShutDown).toBe(false)
    harness.heartbeat(2)
    expect(harness.heartbeat(1, { wantShutDown: true }).shouldShutDown).toBe(true)
    expect(harness.image.brokers.get(1)).toMatchObject({ isFenced: true, inControlledShutdown: true })
  })

  it('that leads nothing may stop at once', () => {
    const harness = new Harness().addBrokers(1)
    expect(harness.heartbeat(1, { wantShutDown: true })).toMatchObject({
      shouldShutDown: true,
      isFenced: true,
    })
  })

  it('that is unregistered leaves every ISR', () => {
    const harness = new Harness().addBrokers(1, 2)
    harness.createTopic('orders', [[1, 2]])
    const request = requestOf(UnregisterBroker, { brokerId: 1 })
    expect(harness.write((machine) => unregisterBroker(machine, request))).toEqual({
      errorCode: ErrorCode.NONE,
      errorMessage: '',
    })
    expect(harness.image.brokers.has(1)).toBe(false)
    expect(harness.partition('orders')).toMatchObject({ isr: [2], leaderId: 2 })
    expect(harness.write((machine) => unregisterBroker(machine, request))).toEqual({
      errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED,
      errorMessage: 'Broker ID 1 is not currently registered',
    })
  })

  it('gets producer ids in blocks of a thousand that nobody else gets', () => {
    const harness = new Harness().addBrokers(1, 2)
    const ask = (brokerId: number) => {
      const brokerEpoch = harness.brokers.get(brokerId)?.epoch ?? -1
      const request = requestOf(AllocateProducerIds, { brokerId, brokerEpoch })
      return harness.write((machine) => allocateProducerIds(machine, request))
    }
    expect(ask(1)).toMatchObject({ producerIdStart: 0, producerIdLen: 1000 })
    expect(ask(2)).toMatchObject({ producerIdStart: 1000, producerIdLen: 1000 })
    expect(ask(3).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })
})

describe('the controller', () => {
  it('gives a new cluster the features that formatting decides, as one transaction', () => {
    const harness = new Harness()
    expect(harness.log.records().map(({ type }) => type)).toEqual([
      'BeginTransactionRecord',
      ...Array<string>(6).fill('FeatureLevelRecord'),
      'ConfigRecord',
      'EndTransactionRecord',
    ])
    expect(harness.image.features.get('metadata.version')).toBe(33)
    expect(Object.fromEntries(harness.image.configsOf(4, ''))).toEqual({ 'min.insync.replicas': '1' })
  })

  it('replays its log after a change of leadership, and gives every broker a whole session', () => {
    const before = new Harness().addBrokers(1, 2)
    before.createTopic('orders', [[1, 2]])
    before.controller.stop()
    const after = new Harness({ log: before.log })
    expect(after.partition('orders')).toEqual(before.partition('orders'))
    expect(after.log.records().filter(({ type }) => type === 'BeginTransactionRecord')).toHaveLength(1)
    after.sim.advance(8000)
    expect(after.image.brokers.get(2)?.isFenced).toBe(false)
    after.sim.advance(2000)
    expect(after.image.brokers.get(2)?.isFenced).toBe(true)
  })

  it('answers when its records are committed, and NOT_CONTROLLER when it loses the log before', () => {
    const harness = new Harness()
    harness.log.commitsAtOnce = false
    const deferred = harness.controller.write('test', () => ({
      records: [{ type: 'NoOpRecord', version: 0, value: {} }],
      response: 'done',
    }))
    const lost = harness.controller.write('test', () => ({
      records: [{ type: 'NoOpRecord', version: 0, value: {} }],
      response: 'done',
    }))
    expect(deferred.isDone).toBe(false)
    harness.log.highWatermark = harness.log.logEndOffset - 1
    harness.controller.onHighWatermark()
    expect(deferred.value).toEqual({ error: 0, value: 'done' })
    expect(lost.isDone).toBe(false)
    harness.controller.stop()
    expect(lost.value).toEqual({ error: ErrorCode.NOT_CONTROLLER })
  })
})

describe('a controller whose log begins after a snapshot', () => {
  it('starts from the snapshot and does not take the cluster for a new one', () => {
    const before = new Harness().addBrokers(1)
    before.createTopic('orders', [[1]])
    const { id, buffers } = encodeImageSnapshot(before.image, { nowMs: 1 })
    const content = decodeSnapshot(Buffer.concat(buffers))
    if (content === undefined) throw new Error('not a snapshot')
    const after = new Harness({ startingSnapshot: { content, id } })
    expect(after.log.records()).toEqual([])
    expect(after.partition('orders')).toEqual(before.partition('orders'))
    after.sim.advance(10_000)
    expect(after.partition('orders')).toMatchObject({ leaderId: -1, isr: [], elr: [1] })
  })
})
