/**
 * `kafkito start`: a cluster in the foreground until a signal ends it. Standard output carries one READY line, for programs that wait
 * for it; everything for people goes to standard error.
 */
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import type { Interception } from '../../broker/network/interception.ts'
import { StartError } from '../../broker/start-error.ts'
import type { Seeding } from '../../broker/testing/seeding.ts'
import { createNodeRuntime, type NodeRuntime } from '../../common/runtime/node/runtime.ts'
import { CommandFailure, type CommandStreams, ExitCode } from '../failure.ts'
import { collectLessOften, keepYoungSpaceSmall } from '../garbage-collector.ts'
import { attachLog, logLevelOf } from '../log.ts'
import { type OpenHttp, openHttp } from '../open-http.ts'
import { type StartFlags, type StartSettings, sendsOthersAway, startSettings } from '../start-settings.ts'
import { firstStopSignal } from '../stop-signals.ts'

/** Runs until a signal has ended the cluster. @throws CommandFailure */
export async function start(flags: StartFlags, streams: CommandStreams): Promise<void> {
  const runtime = createNodeRuntime({ forgetsStalls: true })
  const settings = startSettings({
    flags,
    environment: process.env,
    readFile: (path) => runtime.files.readFile(path).toString('utf8'),
  })
  const seeding = await seedingOf(settings, runtime)
  if (isOnFiles(settings)) collectLessOften()
  await attachLog(runtime, logLevelOf(flags.logLevel, process.env), streams)
  // Only for those who ask for it: it is not free.
  const behaviour =
    settings.profile === 'test'
      ? new (await import('../../broker/testing/test-behaviour.ts')).TestBehaviour(runtime)
      : undefined
  let cluster: Cluster | undefined
  const signal = firstStopSignal((exitCode) => {
    cluster?.kill()
    process.exit(exitCode)
  })
  cluster = await startedCluster(settings, runtime, behaviour?.interception)
  behaviour?.begin(cluster)
  for (const { message } of cluster.warnings) streams.error(`kafkito: ${message}`)
  if (sendsOthersAway(settings)) {
    streams.error(
      `kafkito: Clients are told to connect to ${cluster.bootstrapServers}, so only those of this machine can.`,
    )
    streams.error('         For others say how they reach it: --advertised-host, or two listeners.')
  }
  let http: OpenHttp | undefined
  let isPrepared = false
  try {
    http = await openedHttp(cluster, settings, streams, () => isPrepared)
    // Whoever stops it need not wait for a script.
    isPrepared = await Promise.race([seeded(seeding, cluster), signal.then(() => false)])
    if (isOnFiles(settings)) keepYoungSpaceSmall()
    if (isPrepared) {
      const ready = readyLine(cluster, http, settings)
      streams.out(ready)
      runtime.trace.emit({ level: 'info', kind: 'cluster.ready', message: ready })
    }
    runtime.trace.emit({ level: 'info', kind: 'cluster.stopping', message: `stopping on ${await signal}` })
  } finally {
    await http?.close()
    seeding?.end()
    behaviour?.end()
    await cluster.stop()
    runtime.close()
  }
}

function isOnFiles({ dataDir, config }: StartSettings): boolean {
  return dataDir !== undefined || config.has('log.dirs') || config.has('log.dir')
}

async function startedCluster(
  settings: StartSettings,
  runtime: NodeRuntime,
  interception: Interception | undefined,
): Promise<Cluster> {
  const { advertisedHost, dataDir, brokers, host, port, profile, config, strictPorts, loseTail } = settings
  try {
    return await startCluster({
      brokers,
      host,
      port,
      profile,
      config,
      strictPorts,
      loseTail,
      runtime,
      ...(interception === undefined ? {} : { interception }),
      ...(advertisedHost === undefined ? {} : { advertisedHost }),
      ...(dataDir === undefined ? {} : { dataDir }),
    })
  } catch (error) {
    runtime.close()
    throw commandFailure(error)
  }
}

/** What a person is told of a start that failed; bugs stay as they are. */
function commandFailure(error: unknown): unknown {
  if (!(error instanceof StartError)) return error
  const isUsage = error.code === 'INVALID_CONFIG' || error.code === 'UNSUPPORTED'
  return new CommandFailure(isUsage ? ExitCode.USAGE : ExitCode.FAILED, error.message, error.hint, {
    cause: error,
  })
}

/** The seed folder, read and checked; undefined when there is none. @throws CommandFailure */
async function seedingOf({ seedDir }: StartSettings, runtime: NodeRuntime): Promise<Seeding | undefined> {
  if (seedDir === undefined) return undefined
  const { Seeding } = await import('../../broker/testing/seeding.ts')
  try {
    return new Seeding(runtime, seedDir)
  } catch (error) {
    runtime.close()
    throw commandFailure(error)
  }
}

/** Resolves with true when the seed is in place. @throws CommandFailure */
async function seeded(seeding: Seeding | undefined, cluster: Cluster): Promise<true> {
  try {
    await seeding?.plant(cluster)
    return true
  } catch (error) {
    throw commandFailure(error)
  }
}

async function openedHttp(
  cluster: Cluster,
  { http, strictPorts }: StartSettings,
  streams: CommandStreams,
  isPrepared: () => boolean,
): Promise<OpenHttp | undefined> {
  if (http === undefined) return undefined
  const open = await openHttp(cluster, { ...http, strictPorts, isPrepared })
  if (open.warning !== undefined) streams.error(`kafkito: ${open.warning}`)
  return open
}

/** `READY bootstrap=HOST:PORT,… http=URL profile=NAME data=PLACE`; without `http=` when there is none. */
function readyLine(cluster: Cluster, http: OpenHttp | undefined, settings: StartSettings): string {
  const { dataDir, config, profile } = settings
  return [
    'READY',
    `bootstrap=${cluster.bootstrapServers}`,
    ...(http === undefined ? [] : [`http=${http.url}`]),
    `profile=${profile}`,
    `data=${dataDir ?? config.get('log.dirs') ?? config.get('log.dir') ?? 'memory'}`,
  ].join(' ')
}
