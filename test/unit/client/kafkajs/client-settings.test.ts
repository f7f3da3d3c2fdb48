import { describe, expect, it } from 'vitest'
import { clientSettings } from '../../../../client/kafkajs/client-settings.ts'
import { type KafkaConfig, logLevel } from '../../../../client/kafkajs/index.ts'
import type { Timing } from '../../../../client/kafkajs/timing.ts'

const timing = { wallMs: () => 5000 } as Timing
const settings = (config: Partial<KafkaConfig>): Promise<Record<string, unknown>> =>
  clientSettings({ brokers: ['a:1', 'b:2'], ...config }, logLevel.INFO, timing)

describe('the settings of the façade', () => {
  it('need brokers that are a list of addresses', async () => {
    for (const brokers of [undefined, 'a:1', [], [5], () => [null]]) {
      await expect(settings({ brokers: brokers as never })).rejects.toThrow(/list of addresses/)
    }
  })

  it('ssl becomes the protocol and the certificates', async () => {
    expect((await settings({}))['security.protocol']).toBe('plaintext')
    expect((await settings({ ssl: true }))['security.protocol']).toBe('ssl')
    const ssl = {
      ca: ['one', Buffer.from('two')],
      cert: 'c',
      key: 'k',
      passphrase: 'p',
      rejectUnauthorized: false,
    }
    expect(await settings({ ssl })).toMatchObject({
      'security.protocol': 'ssl',
      'ssl.ca.pem': 'one\ntwo',
      'ssl.certificate.pem': 'c',
      'ssl.key.pem': 'k',
      'ssl.key.password': 'p',
      'enable.ssl.certificate.verification': false,
    })
  })

  it('sasl becomes the mechanism and its credentials, or a source of tokens', async () => {
    const sasl = { mechanism: 'scram-sha-256', username: 'u', password: 'p' } as const
    expect(await settings({ sasl, ssl: true })).toMatchObject({
      'security.protocol': 'sasl_ssl',
      'sasl.mechanisms': 'SCRAM-SHA-256',
      'sasl.username': 'u',
      'sasl.password': 'p',
    })
    const oauthBearerProvider = async (): Promise<{ value: string }> => ({ value: 'token' })
    const { oauth_cb, ...others } = await settings({
      sasl: { mechanism: 'oauthbearer', oauthBearerProvider },
    })
    expect(others).toMatchObject({ 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'OAUTHBEARER' })
    expect(await (oauth_cb as () => Promise<unknown>)()).toEqual(['token', 605])
    await expect(settings({ sasl: { ...sasl, mechanism: 'aws' as never } })).rejects.toThrow('AWS')
  })
})
