/**
 * One broker of an older Apache Kafka in processes of its own: before 3.3 with the ZooKeeper that came along, after that as its own
 * controller (KRaft).
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { negotiatedClient } from '../../support/raw-client.ts'
import { freePorts } from '../client-security/listeners.ts'
import { Failure } from '../lib/cases.ts'
import { mustRun, Running } from '../lib/program.ts'
import type { Target } from '../lib/target.ts'
import type { OldVersion } from './versions.ts'

/** One broker and short rebalances; what the suites do needs no second disk. */
const settings = [
  'offsets.topic.replication.factor=1',
  'offsets.topic.num.partitions=5',
  'transaction.state.log.replication.factor=1',
  'transaction.state.log.min.isr=1',
  'transaction.state.log.num.partitions=5',
  'group.initial.rebalance.delay.ms=0',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms=1000',
  'log.initial.task.delay.ms=3600000',
  'auto.create.topics.enable=true',
]

/** Small and quick to start: what they serve is little. */
const javaOptions = [
  '-Xmx384m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
  '-Dzookeeper.jmx.log4j.disable=true',
]

/** @param jars the folder of the version's jars */
export async function startOldBroker(version: OldVersion, jars: string, directory: string): Promise<Target> {
  await mkdir(directory, { recursive: true })
  return version.metadata === 'kraft'
    ? startWithOwnController(jars, directory)
    : startWithZookeeper(jars, directory)
}

function java(jars: string, mainClass: string, ...args: readonly string[]): Running {
  return new Running('java', [...javaOptions, '-cp', `${jars}/*`, mainClass, ...args])
}

async function properties(directory: string, name: string, lines: readonly string[]): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}

async function startWithZookeeper(jars: string, directory: string): Promise<Target> {
  const [port = 0, zookeeperPort = 0] = await freePorts(2)
  const zookeeper = java(
    jars,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    await properties(directory, 'zookeeper.properties', [
      `dataDir=${join(directory, 'zookeeper')}`,
      `clientPort=${zookeeperPort}`,
      'clientPortAddress=127.0.0.1',
      'admin.enableServer=false',
      'maxClientCnxns=0',
    ]),
  )
  const broker = java(
    jars,
    'kafka.Kafka',
    await properties(directory, 'server.properties', [
      'broker.id=1',
      `zookeeper.connect=127.0.0.1:${zookeeperPort}`,
      `listeners=PLAINTEXT://127.0.0.1:${port}`,
      `log.dirs=${join(directory, 'data')}`,
      ...settings,
    ]),
  )
  return onceReady(`127.0.0.1:${port}`, [broker, zookeeper])
}

async function startWithOwnController(jars: string, directory: string): Promise<Target> {
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const path = await properties(directory, 'server.properties', [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    `log.dirs=${join(directory, 'data')}`,
    ...settings,
  ])
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAA', '-c', path]
  await mustRun('java', [...javaOptions, '-cp', `${jars}/*`, ...format])
  const broker = java(jars, 'kafka.Kafka', path)
  return onceReady(`127.0.0.1:${port}`, [broker])
}

const START_DEADLINE_MS = 120_000

/** Resolves when the broker tells of itself. */
async function onceReady(bootstrap: string, programs: readonly Running[]): Promise<Target> {
  const stop = async (): Promise<void> => {
    for (const program of programs) await program.stop('SIGKILL')
  }
  const deadlineMs = Date.now() + START_DEADLINE_MS
  while (!(await isReady(bootstrap))) {
    if (Date.now() > deadlineMs) {
      await stop()
      throw new Failure(
        `no broker at ${bootstrap}\n${programs.map(({ lines }) => lines.slice(-20).join('\n'))}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return { bootstrap, stop }
}

async function isReady(bootstrap: string): Promise<boolean> {
  try {
    const client = await negotiatedClient(bootstrap)
    try {
      const { brokers } = await client.call(Metadata, { topics: [], allowAutoTopicCreation: false })
      return brokers.length > 0
    } finally {
      client.close()
    }
  } catch {
    return false
  }
}
