/** The brokers that are measured: each a process of its own, started fresh in a directory of its own, watched through /proc. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Target = 'kafkito' | 'kafka'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** The script that runs Apache Kafka: `server --port P --dir D` and its tools by name. */
export const kafkaTools: string = process.env.KAFKA_TOOLS ?? join(root, '../shared/oracle/kafka')

const START_DEADLINE_MS = 120_000
/** What the script sets for Apache Kafka, so that neither waits for more members of a group. */
const SAME_FOR_BOTH = ['--config', 'group.initial.rebalance.delay.ms=0']
/** Ticks of /proc/PID/stat in a second: a constant of Linux. */
const TICKS_PER_SECOND = 100

/** @returns the port, -1 when it is taken */
function tryPort(port: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(-1))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : -1))
    })
  })
}

/** The first of so many ports in a row; the controller of Apache Kafka takes the one a thousand above. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const port = await tryPort(0)
    if (port > 64_000) continue
    const steps = [1000, ...Array.from({ length: count - 1 }, (_, index) => index + 1)]
    const found = await Promise.all(steps.map((step) => tryPort(port + step)))
    if (found.every((one) => one > 0)) return port
  }
}

export class Server {
  readonly target: Target
  readonly bootstrap: string
  readonly directory: string
  readonly startMs: number
  readonly #child: ChildProcess

  private constructor(
    target: Target,
    child: ChildProcess,
    bootstrap: string,
    directory: string,
    startMs: number,
  ) {
    this.target = target
    this.#child = child
    this.bootstrap = bootstrap
    this.directory = directory
    this.startMs = startMs
  }

  /** Starts one, in `directory` if an earlier one left its data there. BENCH_NODE_OPTIONS are for Node, as for profiles. */
  static async start(target: Target, directory?: string, brokers = 1): Promise<Server> {
    const place = directory ?? (await mkdtemp(join(tmpdir(), `bench-${target}-`)))
    const port = String(await freePorts(brokers))
    const several = brokers > 1 ? ['--brokers', String(brokers)] : []
    const startedMs = performance.now()
    const stdio: StdioOptions = ['ignore', 'pipe', 'inherit']
    const child =
      target === 'kafkito'
        ? spawn(
            process.execPath,
            [
              ...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []),
              ...[join(root, 'dist/cli.cjs'), 'start', '--port', port, '--data-dir', place, ...several],
              ...SAME_FOR_BOTH,
            ],
            { stdio },
          )
        : spawn(kafkaTools, ['server', '--port', port, '--dir', place, ...several], { stdio })
    const bootstrap = await new Promise<string>((resolve, reject) => {
      let text = ''
      const timer = setTimeout(() => reject(new Error(`${target} did not start`)), START_DEADLINE_MS)
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        const found = /^READY .*?bootstrap=(\S+)/m.exec(text)
        if (found === null) return
        clearTimeout(timer)
        resolve(found[1] ?? '')
      })
      child.on('exit', (code) => reject(new Error(`${target} ended with ${code}`)))
    })
    return new Server(target, child, bootstrap, place, performance.now() - startedMs)
  }

  /** Processes that work for it: of Kafka, the JVM below the script. */
  #pids(): number[] {
    const all = new Map<number, number>()
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        all.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
      } catch {
        // It has ended meanwhile.
      }
    }
    const own = this.#child.pid === undefined ? [] : [this.#child.pid]
    for (let index = 0; index < own.length; index++) {
      for (const [pid, parent] of all) if (parent === own[index]) own.push(pid)
    }
    return own
  }

  /** Seconds of processor time of all its threads so far. */
  cpuSeconds(): number {
    let ticks = 0
    for (const pid of this.#pids()) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks += Number(fields[11]) + Number(fields[12])
    }
    return ticks / TICKS_PER_SECOND
  }

  residentMiB(): number {
    let kib = 0
    for (const pid of this.#pids()) {
      kib += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
    }
    return kib / 1024
  }

  /** Ends as on SIGTERM; the data stays unless `remove`. */
  async stop(remove = true): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 30_000)
    await ended
    clearTimeout(timer)
    if (remove) await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
  }
}
