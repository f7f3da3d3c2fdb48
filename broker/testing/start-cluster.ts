/**
 * How a test comes to its cluster: one started in this process, a fork of one, or one that runs elsewhere.
 */
import type { FileSystem } from '../../common/runtime/files.ts'
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { Address } from '../../common/runtime/transport.ts'
import { type UnknownKey, unknownKeysIn } from '../config/broker-config.ts'
import { PROFILES } from '../config/profiles.ts'
import { StartError } from '../start-error.ts'
import { HttpInterface } from './http-interface.ts'
import { journalLine } from './journal.ts'
import { KafkaError, NotLocalError } from './kafka-error.ts'
import { unknownKeyOf } from './known-names.ts'
import { leftoversElsewhere, leftoversHere } from './leftovers.ts'
import { LocalView } from './local-view.ts'
import { localWire } from './local-wire.ts'
import { LocalWorld, type Snapshot } from './local-world.ts'
import { logToStandardError } from './log.ts'
import { START_OPTIONS, type StartOptions } from './options.ts'
import { RemoteView } from './remote-view.ts'
import type { Seed } from './seed-folder.ts'
import { addTestBehaviour } from './test-behaviour.ts'
import { TestCluster } from './test-cluster.ts'
import { periodicChanges, turnChanges, Waits } from './waits.ts'
import { Wire } from './wire.ts'

/** How often a cluster elsewhere is asked while somebody waits. */
const REMOTE_POLL_MS = 50

/** Options for what kafkito does not have: whoever asks must not find out by a connection that is refused. */
const NOT_THERE_YET = {
  schemaRegistry: 'schema registry',
  connect: 'Connect workers',
  rest: 'REST proxy',
} as const

/** What may be said in options that take a word. */
const VALUES: Readonly<Record<'profile' | 'clock', readonly string[]>> = {
  profile: Object.keys(PROFILES),
  clock: ['real', 'virtual'],
}

/**
 * Starts a cluster in this process, or attaches to a running one when `bootstrapServers` or KAFKITO_BOOTSTRAP names it.
 * Resolves when clients can work. @throws StartError
 */
export async function startCluster(options: StartOptions = {}): Promise<TestCluster> {
  refuseWhatIsNotThere(options)
  refuseMistakes(options)
  const bootstrapServers = options.bootstrapServers ?? process.env.KAFKITO_BOOTSTRAP
  if (bootstrapServers !== undefined && bootstrapServers !== '') return attach(bootstrapServers, options)
  return startLocal(options)
}

/** @throws StartError */
function refuseWhatIsNotThere(options: StartOptions): void {
  for (const [option, name] of Object.entries(NOT_THERE_YET)) {
    if (!options[option as keyof typeof NOT_THERE_YET]) continue
    throw new StartError(
      'UNSUPPORTED',
      `kafkito has no ${name} yet, so ${option} cannot be started.`,
      `Leave ${option} out.`,
    )
  }
}

/** Whoever types a name in a test wants it to work. @throws StartError */
function refuseMistakes({ config = {}, ...options }: StartOptions): void {
  const option = unknownKeyOf(options, START_OPTIONS)
  if (option !== undefined) throw unknownName('option', option)
  for (const [name, values] of Object.entries(VALUES)) {
    const value = options[name as keyof typeof VALUES]
    if (value === undefined || values.includes(value)) continue
    const hint = `Write ${values.map((known) => `"${known}"`).join(' or ')}.`
    throw new StartError('INVALID_CONFIG', `There is no ${name} "${value}". ${hint}`, hint)
  }
  const [key] = unknownKeysIn(config instanceof Map ? config.keys() : Object.keys(config))
  if (key !== undefined) throw unknownName('setting', key)
}

function unknownName(kind: string, { name, didYouMean }: UnknownKey): StartError {
  const hint = didYouMean === null ? 'Leave it out.' : `Did you mean "${didYouMean}"?`
  return new StartError('INVALID_CONFIG', `There is no ${kind} "${name}". ${hint}`, hint)
}

async function startLocal(options: StartOptions, from?: Snapshot): Promise<TestCluster> {
  const local = new LocalWorld(options)
  const { runtime, journal } = local
  logToStandardError(runtime.trace, process.env)
  let http: HttpInterface | undefined
  let isReady = false
  let seed: Seed | undefined
  try {
    seed = await seedOf(options, runtime.files)
    await local.start(from)
    if (options.http) http = await HttpInterface.open(local, options.http, () => isReady)
  } catch (error) {
    local.kill()
    throw error
  }
  const bootstrap = (): readonly Address[] =>
    local.engine.nodes.flatMap(({ advertisedAddresses }) => [...advertisedAddresses.values()].slice(0, 1))
  const wire = localWire(() => local.engine, runtime, runtime.realTimers)
  const nowMs = (): number => runtime.clock.wallMs()
  const onChange = turnChanges(runtime.reactor)
  const view = new LocalView(() => local.engine)
  if ((options.profile ?? 'test') === 'test' && options.runtime === undefined) {
    addTestBehaviour({
      cluster: () => local.engine,
      faultEngine: local.faultEngine,
      wire,
      reactor: runtime.reactor,
      realTimers: runtime.realTimers,
      isUsable: (topic) => view.isUsable(topic) === true,
      onChange,
    })
  }
  const waits = new Waits({
    realTimers: runtime.realTimers,
    virtualTimers: runtime.time === undefined ? undefined : runtime.scheduler,
    onChange,
    journalTail: () => journal.list().slice(-30).map(journalLine),
  })
  const cluster = new TestCluster({
    local,
    http,
    fork: (snapshot) => {
      const { topics, seedDir, port, ports, http: httpAsked, ...forkOptions } = options
      return startLocal({ ...forkOptions, ...(httpAsked ? { http: true } : {}) }, snapshot)
    },
    wire,
    waits,
    view,
    leftovers: (prefix) => leftoversHere({ world: local, onChange }, prefix),
    journal: () => journal,
    bootstrap,
    nowMs,
    close: () => {},
    isStrict: options.strict ?? true,
  })
  await prepare(cluster, { topics: options.topics, seed, wire, nowMs })
  isReady = true
  return cluster
}

async function attach(bootstrapServers: string, options: StartOptions): Promise<TestCluster> {
  if (options.http) throw new NotLocalError('The HTTP interface')
  const runtime = createNodeRuntime({ timersKeepProcessAlive: true })
  const addresses = bootstrapServers.split(',').map((text): Address => {
    const at = text.lastIndexOf(':')
    const host = text
      .slice(0, at)
      .trim()
      .replace(/^\[|\]$/g, '')
    const port = Number(text.slice(at + 1))
    if (at < 1 || !Number.isInteger(port))
      throw new Error(`"${text}" is no address of a broker: write host:port, separated by commas.`)
    return { host, port }
  })
  const seed = await seedOf(options, runtime.files)
  const wire = new Wire({
    transport: runtime.transport,
    scheduler: runtime.scheduler,
    bootstrap: () => addresses,
    clientId: 'kafkito-fixture',
  })
  const nowMs = (): number => runtime.clock.wallMs()
  const cluster = new TestCluster({
    local: undefined,
    http: undefined,
    fork: undefined,
    wire,
    waits: new Waits({
      realTimers: runtime.scheduler,
      virtualTimers: undefined,
      onChange: periodicChanges(runtime.scheduler, REMOTE_POLL_MS),
      journalTail: () => [],
    }),
    view: new RemoteView(wire, nowMs),
    leftovers: (prefix) => leftoversElsewhere(wire, prefix),
    journal: () => {
      throw new NotLocalError('The journal of requests')
    },
    bootstrap: () => addresses,
    nowMs,
    close: () => runtime.close(),
    isStrict: options.strict ?? true,
  })
  try {
    await wire.metadata([])
  } catch (error) {
    await cluster.stop()
    const hint =
      'Start it first, or leave out bootstrapServers and KAFKITO_BOOTSTRAP for a cluster in this process.'
    throw new StartError('FAILED', `No broker answers at ${bootstrapServers}. ${hint}`, hint, {
      cause: error,
    })
  }
  await prepare(cluster, { topics: options.topics, seed, wire, nowMs })
  return cluster
}

/** @throws StartError */
async function seedOf({ seedDir }: StartOptions, files: FileSystem): Promise<Seed | undefined> {
  if (seedDir === undefined) return undefined
  return (await import('./seed-folder.ts')).readSeedFolder(files, seedDir)
}

interface Wanted {
  readonly topics: StartOptions['topics'] | undefined
  readonly seed: Seed | undefined
  readonly wire: Wire
  readonly nowMs: () => number
}

/** Puts in place what was asked for; the cluster is stopped when that fails. */
async function prepare(cluster: TestCluster, { topics, seed, wire, nowMs }: Wanted): Promise<void> {
  try {
    if (topics !== undefined) await createTopics(cluster, topics)
    if (seed === undefined) return
    const { plantSeed } = await import('./seed.ts')
    const whenUsable = (topic: string): Promise<void> => cluster.waitFor.topic(topic)
    await plantSeed(seed, {
      host: { wire, nowMs, whenUsable },
      bootstrapServers: cluster.bootstrapServers,
    })
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** Those that an attached cluster has already stay as they are. */
async function createTopics(
  cluster: TestCluster,
  topics: NonNullable<StartOptions['topics']>,
): Promise<void> {
  try {
    await cluster.createTopics(topics)
  } catch (error) {
    if (cluster.isLocal || !(error instanceof KafkaError) || error.code !== 'TOPIC_ALREADY_EXISTS')
      throw error
  }
}
