import { describe, expect, it } from 'vitest'
import { CommandFailure } from '../../../cli/failure.ts'
import {
  type StartFlags,
  type StartSettings,
  sendsOthersAway,
  startSettings,
} from '../../../cli/start-settings.ts'

const NO_FLAGS: StartFlags = {
  brokers: 1,
  profile: 'kafka',
  config: [],
  http: true,
  httpPort: 8080,
  httpBind: '127.0.0.1',
  httpAllowHost: [],
}

interface Sources {
  readonly flags?: Partial<StartFlags>
  readonly environment?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
}

function settingsOf({ flags = {}, environment = {}, files = {} }: Sources): StartSettings {
  return startSettings({
    flags: { ...NO_FLAGS, ...flags },
    environment,
    readFile: (path) => {
      const text = files[path]
      if (text === undefined) throw new Error('ENOENT')
      return text
    },
  })
}

function failureOf(sources: Sources): CommandFailure {
  try {
    settingsOf(sources)
  } catch (error) {
    if (error instanceof CommandFailure) return error
    throw error
  }
  throw new Error('nothing failed')
}

describe('settings of a start', () => {
  it("take the flag before the environment, that before the file, and the file before Kafka's default", () => {
    const files = { 'server.properties': 'num.partitions=2\nlog.retention.hours=2\nmessage.max.bytes=2000' }
    const { config } = settingsOf({
      flags: { configFile: 'server.properties', config: ['num.partitions=4'] },
      environment: { KAFKA_NUM_PARTITIONS: '3', KAFKA_LOG_RETENTION_HOURS: '3' },
      files,
    })
    expect(config.get('num.partitions')).toBe('4')
    expect(config.get('log.retention.hours')).toBe('3')
    expect(config.get('message.max.bytes')).toBe('2000')
    expect(config.has('log.segment.bytes')).toBe(false)
  })

  it('keep the internal topics within the number of brokers, unless they are given', () => {
    expect(settingsOf({}).config.get('offsets.topic.replication.factor')).toBe('1')
    expect(settingsOf({ flags: { brokers: 5 } }).config.get('offsets.topic.replication.factor')).toBe('3')
    expect(settingsOf({ flags: { brokers: 5 } }).config.get('transaction.state.log.min.isr')).toBe('2')
    const given = settingsOf({ environment: { KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '2' } })
    expect(given.config.get('offsets.topic.replication.factor')).toBe('2')
  })

  it('put the data into .kafkito, into memory, or where log.dirs says', () => {
    expect(settingsOf({}).dataDir).toBe('.kafkito')
    expect(settingsOf({ flags: { memory: true } }).dataDir).toBeUndefined()
    const fromFile = settingsOf({ flags: { configFile: 'f' }, files: { f: 'log.dirs=/data/kafka' } })
    expect([fromFile.dataDir, fromFile.config.get('log.dirs')]).toEqual([undefined, '/data/kafka'])
  })

  it('let --memory and --data-dir win over log.dirs', () => {
    const environment = { KAFKA_LOG_DIRS: '/data/kafka' }
    expect(settingsOf({ flags: { memory: true }, environment }).config.has('log.dirs')).toBe(false)
    const flagged = settingsOf({ flags: { dataDir: 'here' }, environment })
    expect([flagged.dataDir, flagged.config.has('log.dirs')]).toEqual(['here', false])
  })

  it('let --port, --bind and --advertised-host win over listeners', () => {
    const environment = {
      KAFKA_LISTENERS: 'PLAINTEXT://:19092',
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:19092',
    }
    expect(settingsOf({ environment }).config.get('listeners')).toBe('PLAINTEXT://:19092')
    for (const flags of [{ port: 1234 }, { bind: '0.0.0.0' }, { advertisedHost: 'kafka' }]) {
      const { config } = settingsOf({ flags, environment })
      expect(config.has('listeners') || config.has('advertised.listeners')).toBe(false)
    }
  })

  it('let listeners win over the variables of the same names, which a container sets for everybody', () => {
    const listeners = 'OUTSIDE://:9092,INSIDE://:19092'
    const environment = { KAFKITO_BIND: '0.0.0.0', KAFKA_LISTENERS: listeners }
    const flags = { bind: '0.0.0.0' }
    expect(settingsOf({ flags, environment }).config.get('listeners')).toBe(listeners)
    const config = [`listeners=${listeners}`]
    expect(
      settingsOf({ flags: { ...flags, config }, environment: { KAFKITO_BIND: '0.0.0.0' } }).config.has(
        'listeners',
      ),
    ).toBe(true)
    const files = { 'server.properties': `listeners=${listeners}` }
    const fromFile = settingsOf({
      flags: { ...flags, configFile: 'server.properties' },
      environment: { KAFKITO_BIND: '0.0.0.0' },
      files,
    })
    expect(fromFile.config.has('listeners')).toBe(false)
    expect(settingsOf({ flags: { ...flags, port: 1234 }, environment }).config.has('listeners')).toBe(false)
  })

  it('let HTTP answer under the advertised host', () => {
    const { http } = settingsOf({ flags: { advertisedHost: 'kafka', httpAllowHost: ['metrics'] } })
    expect(http?.allowedHosts).toEqual(['metrics', 'kafka'])
    expect(settingsOf({ flags: { http: false } }).http).toBeUndefined()
  })
})

describe('settings that cannot be meant', () => {
  it('refuse a misspelt name with the one that was meant', () => {
    const failure = failureOf({ flags: { config: ['num.partition=3'] } })
    expect(failure.message).toBe('Unknown setting "num.partition".')
    expect(failure.hint).toBe('Did you mean "num.partitions"?')
    expect(failure.exitCode).toBe(2)
  })

  it('refuse a flag without a value', () => {
    expect(failureOf({ flags: { config: ['num.partitions'] } }).message).toContain('key=value')
    expect(failureOf({ flags: { config: ['=3'] } }).exitCode).toBe(2)
  })

  it('refuse a file that is not there and one that is damaged', () => {
    expect(failureOf({ flags: { configFile: 'none' } }).message).toContain('none cannot be read')
    const damaged = failureOf({ flags: { configFile: 'f' }, files: { f: 'a=\\u00g0' } })
    expect(damaged.message).toContain('f is not right')
  })

  it('refuse memory and a directory at once', () => {
    expect(failureOf({ flags: { memory: true, dataDir: 'x' } }).exitCode).toBe(2)
  })

  it('leave variables of other tools alone and keep misspelt ones for a warning', () => {
    const environment = { KAFKA_TOOLS: '/opt/kafka', KAFKA_NUM_PARTITION: '3' }
    expect([...settingsOf({ environment }).config.keys()]).not.toContain('tools')
    expect(settingsOf({ environment }).config.get('num.partition')).toBe('3')
  })
})

describe('control of brokers over HTTP', () => {
  it('is on while only this machine can ask, and else on demand', () => {
    const mayControl = (flags: Partial<StartFlags>) => settingsOf({ flags }).http?.mayControl
    expect(mayControl({})).toBe(true)
    expect(mayControl({ httpBind: '::1' })).toBe(true)
    expect(mayControl({ httpBind: '0.0.0.0' })).toBe(false)
    expect(mayControl({ httpBind: '127.0.0.1.example.com' })).toBe(false)
    expect(mayControl({ httpBind: '0.0.0.0', httpControl: true })).toBe(true)
  })

  it('can lose what was not flushed in memory only', () => {
    expect(settingsOf({ flags: { memory: true, loseTail: true } }).loseTail).toBe(true)
    expect(failureOf({ flags: { loseTail: true } }).message).toContain('--lose-tail needs --memory')
  })
})

describe('a cluster that listens on every address', () => {
  it('sends clients of other machines away unless it says how they reach it', () => {
    const isTrap = (sources: Sources) => sendsOthersAway(settingsOf(sources))
    const bind = '0.0.0.0'
    expect(isTrap({})).toBe(false)
    expect(isTrap({ flags: { bind } })).toBe(true)
    expect(isTrap({ flags: { bind, advertisedHost: 'localhost' } })).toBe(false)
    const KAFKA_LISTENERS = 'OUTSIDE://0.0.0.0:9092'
    expect(isTrap({ flags: { bind }, environment: { KAFKITO_BIND: bind, KAFKA_LISTENERS } })).toBe(false)
  })
})
