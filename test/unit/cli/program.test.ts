import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CommandStreams, failureLines } from '../../../cli/failure.ts'
import { lineOf, logLevelOf } from '../../../cli/log.ts'
import { runCommandLine } from '../../../cli/program.ts'
import { VERSION } from '../../../cli/version.ts'
import { ROOT } from '../../tidy/tree.ts'

async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const out: string[] = []
  const error: string[] = []
  const streams: CommandStreams = { out: (line) => out.push(line), error: (line) => error.push(line) }
  const code = await runCommandLine(args, streams)
  return { code, out: out.join('\n'), error: error.join('\n') }
}

describe('the command line', () => {
  it('tells the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(VERSION).toBe(version)
    expect(await run('--version')).toEqual({ code: 0, out: VERSION, error: '' })
  })

  it('explains itself', async () => {
    const help = await run('start', '--help')
    expect(help.code).toBe(0)
    for (const flag of ['--port', '--data-dir', '--memory', '--no-http', '--config-file', '--strict-ports']) {
      expect(help.out).toContain(flag)
    }
  })

  it('offers the nearest command or flag for a misspelt one, with exit code 2', async () => {
    const command = await run('strat')
    expect([command.code, command.out]).toEqual([2, ''])
    expect(command.error).toBe(
      'kafkito: There is no command "strat".\n         Did you mean "kafkito start"?',
    )
    expect((await run('topics', '--list')).error).toContain('There is no command "topics".')
    const flag = await run('start', '--prot', '1')
    expect(flag.code).toBe(2)
    expect(flag.error).toContain('Did you mean --port?')
  })

  it('refuses values that cannot be, with exit code 2', async () => {
    for (const args of [
      ['--port', '65536'],
      ['--port', 'ninety'],
      ['--brokers', '-1'],
      ['--brokers', '1001'],
      ['--profile', 'quick'],
      ['--config', 'num.partitions=many', '--memory', '--no-http', '--port', '0'],
      ['--config', 'num.partition=1'],
      ['--config-file', '/nowhere/server.properties'],
    ]) {
      const { code, out, error } = await run('start', ...args)
      expect([args, code, out]).toEqual([args, 2, ''])
      expect(error).toMatch(/^kafkito: /)
    }
  })

  it.each(['http://127.0.0.1:1', '127.0.0.1:1'])(
    'says that nothing answers where no cluster runs: %s',
    async (url) => {
      const { code, error } = await run('health', '--url', url)
      expect(code).toBe(1)
      expect(error).toContain(`Nothing answers at ${url}.`)
    },
  )

  it('says that another program answers', async () => {
    const other = createServer((_, response) => response.end('<html></html>')).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    for (const args of [['health'], ['broker', 'list']]) {
      const { code, error } = await run(...args, '--url', `http://127.0.0.1:${port}`)
      expect(code).toBe(1)
      expect(error).toContain(`What answers at http://127.0.0.1:${port} is no kafkito.`)
    }
    other.close()
  })

  it('says that the name to listen on is not known, and what to give instead', async () => {
    const { code, error } = await run('--memory', '--no-http', '--bind', 'nowhere.invalid')
    expect(code).toBe(1)
    expect(error).toMatch(/^kafkito: The address of broker 1 has a name .*\n +Give one with --bind/)
  })
})

describe('failures', () => {
  it('are one sentence, and a second one when there is something to try', () => {
    expect(failureLines({ message: 'It broke.', hint: '' })).toEqual(['kafkito: It broke.'])
    expect(failureLines({ message: 'It broke.', hint: 'Mend it.' })[1]?.trim()).toBe('Mend it.')
  })
})

describe('logs', () => {
  it('are silent unless asked for', () => {
    expect(logLevelOf(undefined, {})).toBeUndefined()
    expect(logLevelOf(undefined, { DEBUG: 'express:*' })).toBeUndefined()
    expect(logLevelOf('WARN', {})).toBe('warn')
    for (const pattern of ['*', 'kafkito', 'a,kafkito:*'])
      expect(logLevelOf(undefined, { DEBUG: pattern })).toBe('debug')
    expect(() => logLevelOf('loud', {})).toThrow('no log level "loud"')
  })

  it('are lines with time, level and broker on a terminal', () => {
    const event = { level: 'warn', kind: 'log.offline', nodeId: 2, message: 'the disk is full' } as const
    expect(lineOf(event, 3_600_001)).toBe('01:00:00.001 warn  broker 2  the disk is full (log.offline)')
  })
})
