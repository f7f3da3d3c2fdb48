/** A cluster in processes of its own, to be judged from outside: kafkito as it is built, or Apache Kafka (the oracle). */

import { createServer } from 'node:net'
import { join } from 'node:path'
import { kafkaTools, root } from './families.ts'
import { Running } from './program.ts'

export type TargetName = 'kafkito' | 'oracle'

export interface Target {
  readonly bootstrap: string
  stop(): Promise<void>
}

export interface TargetOptions {
  readonly brokers: number
  /** Where the data lies; the caller removes it. */
  readonly directory: string
  /** Of the first broker; without it one that is free. */
  readonly port?: number
  /** Further arguments of the server. */
  readonly extra?: readonly string[]
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Resolves when clients may come. */
export async function startTarget(name: TargetName, options: TargetOptions): Promise<Target> {
  const { brokers, directory, extra = [] } = options
  const port = String(options.port ?? (await freePort()))
  const server =
    name === 'oracle'
      ? new Running(kafkaTools, [
          ...['server', '--port', port, '--dir', directory, '--brokers', String(brokers)],
          ...extra,
        ])
      : new Running('node', [
          ...[
            process.env.KAFKITO_CLI ?? join(root, 'dist/cli.cjs'),
            'start',
            '--port',
            port,
            '--data-dir',
            directory,
          ],
          ...(brokers > 1 ? ['--brokers', String(brokers)] : []),
          ...extra,
        ])
  const ready = (line: string): RegExpExecArray | null => /^READY .*?bootstrap=(\S+)/.exec(line)
  try {
    await server.until('the READY line', (lines) => lines.some((line) => ready(line) !== null), 120_000)
  } catch (error) {
    await server.stop()
    throw error
  }
  const bootstrap = server.lines.map((line) => ready(line)?.[1]).find((found) => found !== undefined) ?? ''
  return {
    bootstrap,
    async stop() {
      const code = await server.stop()
      if (name !== 'oracle' && code !== 0) console.log(`the server ended with ${code}`)
    },
  }
}
