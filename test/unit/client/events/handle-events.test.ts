import { afterEach, expect, it } from 'vitest'
import { Producer } from '../../../../client/index.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

let open: { cluster: ScriptedCluster; producer: Producer }[] = []

afterEach(async () => {
  for (const { cluster, producer } of open) await cluster.settle(producer.close({ timeoutMs: 0 }))
  open = []
})

it('a listener hears of quotas and of answers that never came, though nobody polls', async () => {
  const cluster = new ScriptedCluster(5)
  await cluster.start(1)
  cluster.topic('t', [1])
  const base = { 'bootstrap.servers': cluster.bootstrap, 'socket.timeout.ms': 1000, log_level: 0 }
  const producer = new Producer(base, undefined, { runtime: cluster.sim.machine('client') })
  open.push({ cluster, producer })
  const told: string[] = []
  producer.on('throttle', ({ throttleTime }) => told.push(`throttle ${throttleTime}`))
  producer.on('request-timeout', ({ apiName, error }) => told.push(`${apiName} ${error?.name()}`))
  let answers = 0
  cluster.onRequest = ({ api, body }) => {
    if (api !== 'Produce') return undefined
    if (answers++ > 0) return 'silence'
    const { topicData } = body as { topicData: { name: string; topicId: string }[] }
    const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 0 }]
    const responses = topicData.map(({ name, topicId }) => ({ name, topicId, partitionResponses }))
    return { answer: { responses, throttleTimeMs: 700 } }
  }
  producer.produce('t', { value: 'a' })
  await cluster.advance(2000)
  producer.produce('t', { value: 'b' })
  await cluster.advance(3000)
  expect(told.slice(0, 2)).toEqual(['throttle 0.7', 'Produce _TIMED_OUT'])
})
