/** The three brokers that are treated badly: kafkito in this process, or Apache Kafka, a process each. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { startCluster, type TestCluster } from '../../../broker/index.ts'
import { invariantProblems } from '../../../broker/testing/verify.ts'
import { check } from '../lib/cases.ts'
import { kafkaTools } from '../lib/families.ts'
import { Running } from '../lib/program.ts'
import type { FaultKind } from './plan.ts'

export const BROKERS = [1, 2, 3]

/** So quick that a fault is noticed while it lasts; on both sides the same. */
const CONFIG: Readonly<Record<string, string>> = {
  'min.insync.replicas': '2',
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'transaction.state.log.min.isr': '2',
  'broker.heartbeat.interval.ms': '500',
  'broker.session.timeout.ms': '3000',
  'replica.lag.time.max.ms': '5000',
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.heartbeat.interval.ms': '1000',
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.session.timeout.ms': '10000',
  'group.consumer.min.session.timeout.ms': '5000',
}

export interface Target {
  readonly bootstrap: string
  readonly kinds: readonly FaultKind[]
  /** What starts slowly is also left alone longer. */
  readonly pace: number
  /** Begins a fault; resolves when the broker is down. */
  begin(kind: FaultKind, broker: number): Promise<void>
  /** Takes it back; resolves when the broker is there again. */
  end(kind: FaultKind, broker: number): Promise<void>
  /** For topics and waits. */
  readonly cluster: TestCluster
  /** What is wrong inside, where that can be looked at. */
  problems(): string[]
  stop(): Promise<void>
}

export async function startKafkito(dataDir: string): Promise<Target> {
  const cluster = await startCluster({ brokers: BROKERS.length, dataDir, config: CONFIG, strict: false })
  const isolated = new Set<number>()
  const divide = (): void => {
    cluster.network.heal()
    if (isolated.size === 0) return
    const others = BROKERS.filter((broker) => !isolated.has(broker))
    cluster.network.isolate(...[...isolated].map((broker) => [broker]), others)
  }
  return {
    cluster,
    bootstrap: cluster.bootstrapServers,
    kinds: ['kill', 'stop', 'restart', 'isolate', 'freeze'],
    pace: 1,
    async begin(kind, broker) {
      const control = cluster.broker(broker)
      if (kind === 'kill') control.kill()
      else if (kind === 'stop' || kind === 'restart') await control.stop()
      else if (kind === 'freeze') control.freeze()
      else {
        isolated.add(broker)
        divide()
      }
    },
    async end(kind, broker) {
      const control = cluster.broker(broker)
      if (kind === 'freeze') control.thaw()
      else if (kind === 'isolate') {
        isolated.delete(broker)
        divide()
      } else await control.start()
    },
    problems: () => [
      ...invariantProblems(cluster.engine),
      ...cluster.warnings.map(({ message }) => `warning: ${message}`),
    ],
    stop: () => cluster.stop(),
  }
}

export async function startOracle(dataDir: string): Promise<Target> {
  const port = await freePorts()
  const configs = Object.entries(CONFIG).flatMap(([name, value]) => ['--config', `${name}=${value}`])
  const server = new Running(kafkaTools, [
    'server',
    ...['--port', String(port), '--dir', dataDir, '--brokers', String(BROKERS.length)],
    ...configs,
  ])
  const ready = (line: string): RegExpExecArray | null => /^READY bootstrap=(\S+) .*pids=([\d ]+)/.exec(line)
  await server.until('the READY line', (lines) => lines.some((line) => ready(line) !== null), 120_000)
  const [, bootstrap = '', pidsText = ''] =
    ready(server.lines.find((line) => ready(line) !== null) ?? '') ?? []
  const pids = pidsText.split(' ').map(Number)
  // What a broker was started with is what it is started with again.
  const commands = pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1))
  const again = new Map<number, ChildProcess>()
  const signal = (broker: number, name: NodeJS.Signals): void => {
    const pid = again.get(broker)?.pid ?? pids[broker - 1]
    if (pid !== undefined) process.kill(pid, name)
  }
  process.on('exit', () => {
    for (const child of again.values()) child.kill('SIGKILL')
  })
  const cluster = await startCluster({ bootstrapServers: bootstrap })
  return {
    cluster,
    bootstrap,
    kinds: ['kill', 'stop', 'freeze'],
    pace: 3,
    async begin(kind, broker) {
      if (kind === 'freeze') signal(broker, 'SIGSTOP')
      else {
        signal(broker, kind === 'kill' ? 'SIGKILL' : 'SIGTERM')
        const pid = again.get(broker)?.pid ?? pids[broker - 1] ?? 0
        await until(() => hasEnded(pid), `broker ${broker} to end`)
      }
    },
    async end(kind, broker) {
      if (kind === 'freeze') return signal(broker, 'SIGCONT')
      const [command = '', ...args] = commands[broker - 1] ?? []
      again.set(broker, spawn(command, args, { stdio: 'ignore' }))
      await until(() => isListening(port + broker - 1), `broker ${broker} to listen`)
    },
    problems: () => [],
    async stop() {
      await cluster.stop()
      const ended = [...again.values()].map(
        (child) =>
          new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(0))),
      )
      for (const child of again.values()) child.kill('SIGTERM')
      await server.stop()
      await Promise.all(ended)
    },
  }
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = Date.now() + 120_000
  while (!(await condition())) {
    check(Date.now() < deadlineMs, `waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A process whose parent has not asked for its end yet is a zombie, and as good as gone. */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return true
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** The first of the ports in a row, one a broker; the controller's lies a thousand above. */
async function freePorts(): Promise<number> {
  const given = process.env.CHAOS_PORT
  if (given !== undefined) return Number(given)
  const take = (port: number): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer()
      server.on('error', () => resolve(-1))
      server.listen(port, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : -1))
      })
    })
  for (;;) {
    const port = await take(0)
    if (port > 64_000) continue
    const found = await Promise.all([1, 2, 1000].map((step) => take(port + step)))
    if (found.every((one) => one > 0)) return port
  }
}
