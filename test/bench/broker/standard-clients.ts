/** The same questions asked by clients that others wrote: kcat and Kafka's own performance tools. */
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { createTopic } from './admin.ts'
import { kafkaTools, Server, type Target } from './server.ts'

type Note = (name: string, unit: string, value: number, isMoreBetter?: boolean) => void

function run(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<{ text: string; seconds: number }> {
  const startMs = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], ...options })
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-10_000)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve({ text, seconds: (performance.now() - startMs) / 1000 })
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${text}`))
    })
  })
}

export async function standardClients(target: Target, isShort: boolean, note: Note): Promise<void> {
  const server = await Server.start(target)
  try {
    const { bootstrap } = server
    const count = isShort ? 100_000 : 1_000_000
    await createTopic(bootstrap, 'perf', 4)
    const produced = await run(kafkaTools, [
      'producer-perf-test',
      ...['--topic', 'perf', '--num-records', String(count), '--record-size', '1024', '--throughput', '-1'],
      ...[
        '--producer-props',
        `bootstrap.servers=${bootstrap}`,
        'acks=all',
        'batch.size=65536',
        'linger.ms=5',
      ],
    ])
    const rates = [...produced.text.matchAll(/\(([\d.]+) MB\/sec\)/g)]
    note("Kafka's producer-perf-test", 'MiB/s', Number(rates.at(-1)?.[1]), true)
    const consumed = await run(kafkaTools, [
      'consumer-perf-test',
      ...[
        '--topic',
        'perf',
        '--bootstrap-server',
        bootstrap,
        '--num-records',
        String(count),
        '--timeout',
        '60000',
      ],
    ])
    const figures = consumed.text.trim().split('\n').at(-1)?.split(',').map(Number) ?? []
    note("Kafka's consumer-perf-test", 'MiB/s', figures[3] ?? Number.NaN, true)
    if (spawnSync('kcat', ['-V']).status !== 0) return
    const read = await run('kcat', ['-C', '-q', '-e', '-b', bootstrap, '-t', 'perf', '-f', ''])
    note('kcat reads it all', 'MiB/s', (count * 1024) / 1024 / 1024 / read.seconds, true)
  } finally {
    await server.stop()
  }
}
