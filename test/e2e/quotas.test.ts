/** Clients that a quota holds back, against kafkito, or any cluster with BOOTSTRAP=host:port. */
import { describe, expect, it } from 'vitest'
import { AdminClient, ClientQuotaEntity, Producer, ThrottleEvent } from '../../client/index.ts'
import { ConsumerWorld } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use()

/** While it runs, clients of the id may do no more than this in a second. */
async function limited(
  clientId: string,
  key: string,
  value: number,
  run: () => Promise<void>,
): Promise<void> {
  await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap, log_level: 0 })
  const entity = new ClientQuotaEntity({ 'client-id': clientId })
  const set = (limit: number | null) =>
    admin.alterClientQuotas([{ entity, operations: [{ key, value: limit }] }]).all()
  await set(value)
  try {
    await run()
  } finally {
    await set(null)
  }
}

describe('a client over its quota', () => {
  it('hears of it through throttle_cb and the throttle event, by broker and seconds', async () => {
    const topic = await world.topic()
    const clientId = uniqueName('fast')
    await limited(clientId, 'producer_byte_rate', 10_000, async () => {
      const heard: ThrottleEvent[] = []
      const told: ThrottleEvent[] = []
      const producer = new Producer({
        'bootstrap.servers': world.bootstrap,
        'client.id': clientId,
        log_level: 0,
        throttle_cb: (event) => void heard.push(event),
      })
      producer.on('throttle', (event) => void told.push(event))
      // Until the broker has heard of the quota.
      for (let attempt = 0; heard.length === 0 && attempt < 600; attempt++) {
        producer.produce(topic, { value: Buffer.alloc(30_000), partition: 0 })
        await producer.poll(0.05)
      }
      const [event] = heard
      const { brokers } = await producer.listTopics(undefined, 60)
      const broker = brokers.get(event?.brokerId ?? -1)
      expect(event).toBeInstanceOf(ThrottleEvent)
      expect(event?.brokerName).toContain(`${broker?.host}:${broker?.port}`)
      expect(event?.throttleTime).toBeGreaterThan(0)
      expect(event?.toString()).toMatch(/ throttled for \d+ ms$/)
      expect(told[0]?.throttleTime).toBe(event?.throttleTime)
      await producer.close({ timeoutMs: 0 })
    })
  })
})
