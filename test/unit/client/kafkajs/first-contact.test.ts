import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { KafkaError, KafkaException } from '../../../../client/errors.ts'
import { KafkaJSNumberOfRetriesExceeded } from '../../../../client/kafkajs/errors.ts'
import { firstContact, patienceOf } from '../../../../client/kafkajs/first-contact.ts'
import type { CallOptions } from '../../../../client/timeouts.ts'

const failure = (name: '_TRANSPORT' | '_ALL_BROKERS_DOWN' | '_TIMED_OUT' | '_AUTHENTICATION', text: string) =>
  new KafkaException(new KafkaError(KafkaError[name], text))

/** Is told errors while it looks for a broker, and finds none. */
class Lonely extends EventEmitter<{ error: [Error] }> {
  readonly #told: readonly Error[]

  constructor(...told: readonly Error[]) {
    super()
    this.#told = told
  }

  async listTopics(_topic: null, { signal }: CallOptions): Promise<void> {
    for (const error of this.#told) this.emit('error', error)
    signal?.throwIfAborted()
    throw failure('_TIMED_OUT', 'Failed to get metadata in time')
  }
}

it('connect looks for a broker as long as the attempts of kafkajs and their pauses last', () => {
  const brokers = ['a:1']
  expect(patienceOf({ brokers })).toEqual({ limitMs: 9300 + 6 * 1000, retries: 5 })
  expect(patienceOf({ brokers, retry: { retries: 0 } }).limitMs).toBe(3000)
  const retry = { retries: 4, initialRetryTime: 1000, multiplier: 10, maxRetryTime: 5000 }
  expect(patienceOf({ brokers, retry, connectionTimeout: 2000 }).limitMs).toBe(1000 + 3 * 5000 + 5 * 2000)
  expect(patienceOf({ brokers, retry: { retries: Number.POSITIVE_INFINITY } }).limitMs).toBe(2 ** 31 - 1)
})

it('a broker that is not there ends connect with the reason, as an error of exceeded retries', async () => {
  const away = failure('_TRANSPORT', 'a:1/bootstrap: Connect failed: connect ECONNREFUSED a:1')
  const handle = new Lonely(away, failure('_ALL_BROKERS_DOWN', '1/1 brokers are down'))
  const error = await firstContact(handle, { limitMs: 1, retries: 3 }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(KafkaJSNumberOfRetriesExceeded)
  expect(error).toMatchObject({
    retriable: false,
    retryCount: 3,
    message: `Connection error: ${away.message}`,
  })
  expect(handle.listenerCount('error')).toBe(0)
})

it('credentials that are refused end connect at once', async () => {
  const handle = new Lonely(failure('_AUTHENTICATION', 'wrong password'))
  await expect(firstContact(handle, { limitMs: 1, retries: 3 })).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
    message: 'wrong password',
  })
})
