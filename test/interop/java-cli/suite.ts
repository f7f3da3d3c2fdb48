/** Kafka's own command line tools: what they do, and the layout of what they print. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, check, checkEqual, environment, main, uniqueName } from '../lib/cases.ts'
import { kafkaTools, root } from '../lib/families.ts'
import { type Finished, mustRun, Running, type RunOptions, runProgram } from '../lib/program.ts'

// The tools live for a second each: the quick compiler alone makes them start faster.
const env = { ...process.env, JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1' }

function bootstrapped(name: string, args: readonly string[]): string[] {
  return [name, '--bootstrap-server', environment('BOOTSTRAP'), ...args]
}

/** Runs a tool that has to succeed and returns its standard output. */
async function tool(name: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await mustRun(kafkaTools, bootstrapped(name, args), { env, ...options })).stdout
}

/** Runs a tool that may fail. */
function tryTool(name: string, ...args: string[]): Promise<Finished> {
  return runProgram(kafkaTools, bootstrapped(name, args), { env })
}

function start(name: string, ...args: string[]): Running {
  return new Running(kafkaTools, bootstrapped(name, args), env)
}

async function createTopic(partitions = 1): Promise<string> {
  const topic = uniqueName('cli')
  const replication = process.env.REPLICATION ?? '1'
  const args = [
    '--create',
    '--topic',
    topic,
    '--partitions',
    String(partitions),
    '--replication-factor',
    replication,
  ]
  const stdout = await tool('topics', args)
  checkEqual(stdout, `Created topic ${topic}.\n`, 'what --create prints')
  return topic
}

function produce(topic: string, inputText: string, ...args: string[]): Promise<string> {
  return tool('console-producer', ['--topic', topic, ...args], { inputText })
}

function matches(text: string, pattern: RegExp): void {
  check(pattern.test(text), `no ${pattern} in:\n${text}`)
}

async function withDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'interop-cli-'))
  try {
    return await body(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The cells of a table that the tool prints, without its header and empty lines. */
function rows(table: string): string[][] {
  const lines = table.split('\n').filter((line) => line.trim() !== '')
  return lines.slice(1).map((line) => line.trim().split(/\s+/))
}

const textFile = (codec: string): Case => ({
  name: `a text file comes back unchanged from the console tools with compression ${codec}`,
  run: () =>
    withDirectory(async (directory) => {
      const topic = await createTopic()
      const linesFile = environment('LINES_FILE')
      const outputFile = join(directory, 'lines.txt')
      await tool('console-producer', ['--topic', topic, '--compression-codec', codec], {
        inputFile: linesFile,
      })
      const sent = await readFile(linesFile)
      const count = String(sent.toString().trimEnd().split('\n').length)
      await tool('console-consumer', ['--topic', topic, '--from-beginning', '--max-messages', count], {
        outputFile,
      })
      const received = await readFile(outputFile)
      check(
        sent.equals(received),
        `${sent.length} bytes were sent, ${received.length} came back, not the same`,
      )
    }),
})

const formats: Case = {
  name: 'console tools parse and print keys, headers, partitions and offsets',
  async run() {
    const topic = await createTopic()
    const parse = ['parse.key=true', 'key.separator=|', 'parse.headers=true', 'null.marker=NULL']
    await produce(
      topic,
      'h:1,i:2\tk1|v1\nNULL\tk2|NULL\n',
      ...parse.flatMap((one) => ['--reader-property', one]),
    )
    const names = ['timestamp', 'key', 'offset', 'partition', 'headers'].map((name) => `print.${name}=true`)
    const flags = [...names, 'key.separator=|'].flatMap((one) => ['--formatter-property', one])
    const args = ['--topic', topic, '--from-beginning', '--max-messages', '2', ...flags]
    const printed = await tool('console-consumer', args)
    matches(
      printed,
      /^CreateTime:\d+\|Partition:0\|Offset:0\|h:1,i:2\|k1\|v1\nCreateTime:\d+\|.*\|k2\|null\n$/,
    )
  },
}

const isolation: Case = {
  name: 'transactions shows the transaction and the producer that a read_committed console-consumer has read',
  async run() {
    const topic = await createTopic()
    const perf = ['--topic', topic, '--num-records', '50', '--record-size', '20', '--throughput', '-1']
    await tool('producer-perf-test', [
      ...perf,
      '--transactional-id',
      topic,
      '--transaction-duration-ms',
      '10000',
    ])
    const base = [
      '--topic',
      topic,
      '--from-beginning',
      '--max-messages',
      '50',
      '--isolation-level',
      'read_committed',
    ]
    const done = await mustRun(kafkaTools, bootstrapped('console-consumer', base), { env })
    matches(done.stderr, /Processed a total of 50 messages/)
    const described = await tool('transactions', ['describe', '--transactional-id', topic])
    matches(described, /^CoordinatorId\s+TransactionalId\s+ProducerId\s+ProducerEpoch\s+TransactionState\s/)
    matches(described, new RegExp(`\\s${topic}\\s+\\d+\\s+\\d+\\s+(CompleteCommit|PrepareCommit)\\s`))
    matches(await tool('transactions', ['list']), new RegExp(`^${topic}\\s+\\d+\\s+\\d+\\s+\\w+Commit`, 'm'))
    const producers = await tool('transactions', ['describe-producers', '--topic', topic, '--partition', '0'])
    matches(
      producers,
      /^ProducerId\s+ProducerEpoch\s+LatestCoordinatorEpoch\s+LastSequence\s+LastTimestamp\s/,
    )
    checkEqual(rows(producers).length, 1, 'producers of the partition')
  },
}

/** The words after the colon are the broker's own. */
function checkRefused(done: Finished): void {
  check(done.code === 1 && done.stdout.startsWith('Error while executing topic command : '), done.stdout)
}

const topics: Case = {
  name: 'topics creates, lists, describes, grows and deletes',
  async run() {
    const topic = await createTopic(2)
    const list = (await tool('topics', ['--list'])).split('\n')
    check(list.includes(topic), `${topic} is not listed`)
    const described = (await tool('topics', ['--describe', '--topic', topic])).replace(/\n$/, '').split('\n')
    const replication = process.env.REPLICATION ?? '1'
    matches(
      described[0] ?? '',
      new RegExp(
        `^Topic: ${topic}\tTopicId: [\\w-]{22}\tPartitionCount: 2\tReplicationFactor: ${replication}\tConfigs: .*$`,
      ),
    )
    for (const [index, line] of described.slice(1).entries()) {
      const start = `^\tTopic: ${topic}\tPartition: ${index}\tLeader: (\\d+)\t`
      matches(line, new RegExp(`${start}Replicas: \\1[\\d,]*\tIsr: [\\d,]+\tElr: .*\tLastKnownElr: .*$`))
    }
    checkEqual(described.length, 3, 'lines of --describe')
    await tool('topics', ['--alter', '--topic', topic, '--partitions', '3'])
    const fewer = await tryTool('topics', '--alter', '--topic', topic, '--partitions', '1')
    checkRefused(fewer)
    const again = await tryTool('topics', '--create', '--topic', topic)
    checkRefused(again)
    await tool('topics', ['--delete', '--topic', topic])
    const missing = await tryTool('topics', '--describe', '--topic', topic)
    check(
      missing.code !== 0 && missing.stdout.includes('does not exist'),
      `the deleted topic: ${missing.stdout}`,
    )
  },
}

const configs: Case = {
  name: 'configs sets, describes and deletes configs of a topic, and describes a broker',
  async run() {
    const topic = await createTopic()
    const alter = (...args: string[]): Promise<Finished> =>
      tryTool('configs', '--alter', '--topic', topic, ...args)
    const set = await alter('--add-config', 'retention.ms=1234,cleanup.policy=[compact,delete]')
    checkEqual(set.stdout, `Completed updating config for topic ${topic}.\n`, 'what --alter prints')
    const described = await tool('configs', ['--describe', '--topic', topic])
    matches(described, new RegExp(`^Dynamic configs for topic ${topic} are:\n`))
    matches(
      described,
      /^ {2}retention\.ms=1234 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=1234/m,
    )
    matches(described, /^ {2}cleanup\.policy=compact,delete /m)
    const bad = await alter('--add-config', 'retention.ms=soon')
    check(
      bad.code !== 0 && /InvalidConfigurationException/.test(bad.stdout + bad.stderr),
      `a bad value: ${bad.stderr}`,
    )
    checkEqual((await alter('--delete-config', 'retention.ms')).code, 0, 'exit code of --delete-config')
    const api = await tool('broker-api-versions', [])
    const id = /\(id: (\d+) rack/.exec(api)?.[1] ?? ''
    const broker = await tool('configs', ['--describe', '--broker', id, '--all'])
    matches(broker, new RegExp(`^ {2}node\\.id=${id} sensitive=false synonyms=\\{`, 'm'))
    matches(broker, /^ {2}log\.retention\.hours=168 sensitive=false synonyms=\{DEFAULT_CONFIG:/m)
  },
}

const consumerGroups: Case = {
  name: 'consumer-groups lists, describes, resets and deletes groups and offsets',
  async run() {
    const topic = await createTopic()
    const group = uniqueName('cli-group')
    await produce(topic, 'a\nb\nc\n')
    const groups = (...args: string[]): Promise<string> =>
      tool('consumer-groups', ['--group', group, ...args])
    const member = start('console-consumer', '--topic', topic, '--group', group, '--from-beginning')
    try {
      await member.until('three records', (lines) => lines.filter((line) => line.length === 1).length === 3)
      const state = await groups('--describe', '--state')
      matches(state, /GROUP\s+COORDINATOR \(ID\)\s+ASSIGNMENT-STRATEGY\s+STATE\s+#MEMBERS/)
      matches(state, new RegExp(`${group}\\s+\\S+:\\d+\\s+\\(\\d+\\)\\s+range\\s+Stable\\s+1`))
      const members = await groups('--describe', '--members')
      matches(members, new RegExp(`${group}\\s+console-consumer-\\S+\\s+/\\S+\\s+console-consumer\\s+1`))
    } finally {
      await member.stop()
    }
    const offsets = async (): Promise<string[]> => (rows(await groups('--describe'))[0] ?? []).slice(1, 6)
    checkEqual(await offsets(), [topic, '0', '3', '3', '0'], 'topic, partition, current, end and lag')
    const dry = await groups('--reset-offsets', '--topic', topic, '--to-earliest', '--dry-run')
    checkEqual(rows(dry)[0], [group, topic, '0', '0'], 'dry run')
    await groups('--reset-offsets', '--topic', topic, '--shift-by', '-2', '--execute')
    checkEqual(await offsets(), [topic, '0', '1', '3', '2'], 'after the reset')
    matches(await groups('--delete-offsets', '--topic', topic), new RegExp(`${topic}\\s+0\\s+Successful`))
    await produce(topic, 'd\n')
    await groups('--reset-offsets', '--topic', topic, '--to-latest', '--execute')
    matches(
      await groups('--delete'),
      new RegExp(`Deletion of requested consumer groups \\('${group}'\\) was successful`),
    )
    check(!(await tool('consumer-groups', ['--list'])).includes(group), 'the deleted group is still listed')
  },
}

const offsets: Case = {
  name: 'get-offsets and delete-records move and show the ends of a partition',
  run: () =>
    withDirectory(async (directory) => {
      const topic = await createTopic()
      await produce(topic, 'a\nb\nc\n')
      const at = (time: string): Promise<string> => tool('get-offsets', ['--topic', topic, '--time', time])
      checkEqual(await at('latest'), `${topic}:0:3\n`, 'latest')
      matches(await at('max-timestamp'), new RegExp(`^${topic}:0:[012]\n$`))
      const file = join(directory, 'offsets.json')
      await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 2 }] }))
      const deleted = await tool('delete-records', ['--offset-json-file', file])
      matches(deleted, new RegExp(`partition: ${topic}-0\tlow_watermark: 2`))
      checkEqual(await at('earliest'), `${topic}:0:2\n`, 'earliest')
    }),
}

const cluster: Case = {
  name: 'cluster, features, broker-api-versions, metadata-quorum and log-dirs describe the cluster',
  async run() {
    const bootstrap = environment('BOOTSTRAP')
    const clusterId = await mustRun(kafkaTools, ['cluster', 'cluster-id', '--bootstrap-server', bootstrap], {
      env,
    })
    matches(clusterId.stdout, /^Cluster ID: [\w-]{22}\n$/)
    const features = await tool('features', ['describe'])
    for (const name of ['metadata.version', 'group.version', 'transaction.version', 'share.version']) {
      const line = `^Feature: ${name}\\s+SupportedMinVersion: \\S+\\s+SupportedMaxVersion: .*FinalizedVersionLevel: `
      matches(features, new RegExp(line, 'm'))
    }
    const versions = await tool('broker-api-versions', [])
    matches(versions, /^\S+ \(id: \d+ rack: \S+ isFenced: false\) -> \($/m)
    for (const name of [
      'Produce',
      'Fetch',
      'Metadata',
      'ConsumerGroupHeartbeat',
      'TxnOffsetCommit',
      'ShareFetch',
    ]) {
      matches(versions, new RegExp(`^\t${name}\\(\\d+\\): .*\\[usable: \\d+\\]`, 'm'))
    }
    const quorum = await tool('metadata-quorum', ['describe', '--status'])
    for (const name of ['ClusterId', 'LeaderId', 'LeaderEpoch', 'HighWatermark', 'CurrentVoters']) {
      matches(quorum, new RegExp(`^${name}:\\s+\\S+`, 'm'))
    }
    const replication = await tool('metadata-quorum', ['describe', '--replication'])
    matches(replication, /^NodeId\s+DirectoryId\s+LogEndOffset\s+Lag\s+LastFetchTimestamp/)
    const directories = await tool('log-dirs', ['--describe'])
    const json = JSON.parse(directories.split('\n').find((line) => line.startsWith('{')) ?? '') as {
      brokers: { logDirs: { error: string | null; partitions: unknown[] }[] }[]
    }
    const all = json.brokers.flatMap((broker) => broker.logDirs)
    check(all.length > 0 && all.every((one) => one.error === null), `log directories: ${directories}`)
  },
}

const operations: Case = {
  name: 'leader-election, reassign-partitions and acls answer as on a cluster at rest',
  async run() {
    const topic = await createTopic()
    const partition = ['--topic', topic, '--partition', '0']
    const election = await tool('leader-election', ['--election-type', 'preferred', ...partition])
    matches(election, new RegExp(`Valid replica already elected for partitions.*${topic}-0`))
    checkEqual(
      await tool('reassign-partitions', ['--list']),
      'No partition reassignments found.\n',
      'reassignments',
    )
    const acls = await tryTool('acls', '--list')
    check(/SecurityDisabledException/.test(acls.stdout + acls.stderr), `acls: ${acls.stdout}${acls.stderr}`)
  },
}

const performance: Case = {
  name: 'producer-perf-test, consumer-perf-test and e2e-latency report their records',
  async run() {
    const topic = await createTopic()
    const args = ['--topic', topic, '--num-records', '20000', '--record-size', '100', '--throughput', '-1']
    const sent = await tool('producer-perf-test', args)
    matches(
      sent,
      /20000 records sent, [\d.]+ records\/sec \([\d.]+ MB\/sec\), [\d.]+ ms avg latency, [\d.]+ ms max latency/,
    )
    const received = await tool('consumer-perf-test', ['--topic', topic, '--num-records', '20000'])
    checkEqual(
      received.trimEnd().split('\n').at(-1)?.split(', ')[4],
      '20000',
      'records of consumer-perf-test',
    )
    const latency = await tool('e2e-latency', [
      '--topic',
      topic,
      '--num-records',
      '100',
      '--record-size',
      '20',
      '--producer-acks',
      'all',
    ])
    matches(latency, /Avg latency: [\d.]+ ms/)
  },
}

const verifiable: Case = {
  name: 'two verifiable consumers of the consumer protocol share what the verifiable producer sends',
  async run() {
    const topic = await createTopic(2)
    const group = uniqueName('cli-group')
    type Event = { name: string; count?: number; partitions?: unknown[] }
    const events = (lines: readonly string[], name: string): Event[] =>
      lines
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Event)
        .filter((event) => event.name === name)
    const consume = ['--topic', topic, '--group-id', group, '--group-protocol', 'consumer']
    const members = [1, 2].map(() => start('verifiable-consumer', ...consume))
    const received = (): number =>
      members
        .flatMap((one) => events(one.lines, 'records_consumed'))
        .reduce((sum, one) => sum + (one.count ?? 0), 0)
    try {
      const ownsOne = (lines: readonly string[]): boolean => {
        const last = events(lines, 'partitions_assigned').at(-1)
        const isRevoked = events(lines, 'partitions_revoked').some((event) => event.partitions?.length === 1)
        return last?.partitions?.length === 1 || isRevoked
      }
      await Promise.all(members.map((one) => one.until('one partition', ownsOne)))
      const sent = await tool('verifiable-producer', [
        '--topic',
        topic,
        '--max-messages',
        '500',
        '--repeating-keys',
        '20',
      ])
      checkEqual(events(sent.split('\n'), 'producer_send_success').length, 500, 'acknowledged records')
      await Promise.race(members.map((one) => one.until('500 records in all', () => received() === 500)))
      for (const one of members)
        check(events(one.lines, 'records_consumed').length > 0, 'a member got nothing')
    } finally {
      await Promise.all(members.map((one) => one.stop()))
    }
  },
}

const shareGroup: Case = {
  name: 'console-share-consumer reads and share-groups and groups show the share group',
  async run() {
    const topic = await createTopic()
    const group = uniqueName('cli-share')
    await tool('configs', ['--alter', '--group', group, '--add-config', 'share.auto.offset.reset=earliest'])
    await produce(topic, 'a\nb\nc\n')
    const member = start('console-share-consumer', '--topic', topic, '--group', group)
    try {
      await member.until('three records', (lines) => lines.filter((line) => line.length === 1).length === 3)
      const state = await tool('share-groups', ['--describe', '--group', group, '--state'])
      matches(state, new RegExp(`${group}\\s+\\S+\\s+\\(\\d+\\)\\s+Stable\\s+1`))
    } finally {
      await member.stop()
    }
    const offsets = rows(await tool('share-groups', ['--describe', '--group', group]))[0]
    checkEqual(offsets?.slice(0, 3), [group, topic, '0'], 'group, topic and partition')
    matches(await tool('groups', ['--list']), new RegExp(`^${group}\\s+Share\\s+share\\s*$`, 'm'))
    matches(
      await tool('share-groups', ['--delete', '--group', group]),
      new RegExp(`Deletion of requested share groups \\('${group}'\\) was successful`),
    )
  },
}

/** A cluster of three of its own, that may be hurt. */
async function withThreeBrokers(
  body: (parts: { bootstrap: string; broker: (...args: string[]) => Promise<string> }) => Promise<void>,
): Promise<void> {
  const kafkito = ['--import', 'tsx', join(root, 'cli/main.ts')]
  const ports = ['--port', '0', '--http-port', '0', '--strict-ports']
  const start = ['start', '--brokers', '3', '--memory', '--profile', 'test', ...ports]
  const server = new Running('node', [...kafkito, ...start])
  try {
    const isReady = (line: string): boolean => line.startsWith('READY ')
    await server.until('the READY line', (lines) => lines.some(isReady), 60_000)
    const ready = server.lines.find(isReady) ?? ''
    const bootstrap = /bootstrap=(\S+)/.exec(ready)?.[1] ?? ''
    const url = /http=(\S+)/.exec(ready)?.[1] ?? ''
    const broker = async (...args: string[]): Promise<string> =>
      (await mustRun('node', [...kafkito, 'broker', ...args, '--url', url])).stdout.trim()
    await body({ bootstrap, broker })
  } finally {
    await server.stop()
  }
}

const killedLeader: Case = {
  name: 'topics --describe shows another leader while the first is dead, and a producer with acks=all and a consumer carry on',
  run: () =>
    withThreeBrokers(async ({ bootstrap, broker }) => {
      const run = (name: string, ...args: string[]): Promise<string> =>
        mustRun(kafkaTools, [name, '--bootstrap-server', bootstrap, ...args], { env }).then(
          ({ stdout }) => stdout,
        )
      const create = (topic: string, minIsr: number): Promise<string> => {
        const config = `min.insync.replicas=${minIsr}`
        const replicas = ['--replica-assignment', '1:2:3']
        return run('topics', '--create', '--topic', topic, ...replicas, '--config', config)
      }
      await create('orders', 2)
      await create('strict', 3)
      /** `Leader: 1 Replicas: 1,2,3 Isr: 1,2,3 Elr: LastKnownElr:` */
      const described = async (topic: string): Promise<string> => {
        const line = (await run('topics', '--describe', '--topic', topic)).split('\n')[1] ?? ''
        return (/Leader: .*/.exec(line)?.[0] ?? '').replace(/\s+/g, ' ').trim()
      }
      const untilDescribed = async (topic: string, pattern: RegExp): Promise<string> => {
        let found = ''
        for (let tries = 0; tries < 40; tries++) {
          found = await described(topic)
          if (pattern.test(found)) return found
        }
        throw new Error(`no ${pattern} but: ${found}`)
      }
      checkEqual(
        await described('orders'),
        'Leader: 1 Replicas: 1,2,3 Isr: 1,2,3 Elr: LastKnownElr:',
        'before',
      )
      const count = 1_500
      const props = ['--command-property', 'acks=all', '--bootstrap-server', bootstrap]
      const load = ['--num-records', String(count), '--payload-monotonic', '--throughput', '60']
      const producer = new Running(
        kafkaTools,
        ['producer-perf-test', '--topic', 'orders', ...load, ...props],
        env,
      )
      const from = ['--topic', 'orders', '--from-beginning', '--max-messages', String(count)]
      const consumer = new Running(
        kafkaTools,
        ['console-consumer', '--bootstrap-server', bootstrap, ...from],
        env,
      )
      try {
        await consumer.until('first records', (lines) => lines.length > 20, 60_000)
        checkEqual((await broker('kill', '1')).split('\t').slice(0, 2), ['1', 'down'], 'the killed broker')
        await untilDescribed('orders', /^Leader: 2 Replicas: 1,2,3 Isr: (2,3|3,2) Elr: LastKnownElr:$/)
        await untilDescribed('strict', /^Leader: 2 Replicas: 1,2,3 Isr: (2,3|3,2) Elr: 1 LastKnownElr:$/)
        checkEqual(
          (await broker('start', '1')).split('\t').slice(0, 2),
          ['1', 'running'],
          'the broker that is back',
        )
        await untilDescribed('orders', /^Leader: 2 Replicas: 1,2,3 Isr: [123](,[123]){2} Elr: LastKnownElr:$/)
        await run('leader-election', '--election-type', 'preferred', '--all-topic-partitions')
        await untilDescribed('orders', /^Leader: 1 /)
        await producer.until(
          'the last record to be sent',
          (lines) =>
            lines.some((line) => line.startsWith(`${count} records sent`) && line.includes('99.9th')),
          120_000,
        )
        await consumer.until('every record', (lines) => lines.length >= count, 60_000)
        const numbers = consumer.lines
          .filter((line) => /^\d+$/.test(line))
          .map(Number)
          .sort((left, right) => left - right)
        const lost = Array.from({ length: count }, (_, index) => index).filter(
          (number) => !numbers.includes(number),
        )
        const doubled = numbers.filter((number, index) => numbers[index - 1] === number)
        check(
          lost.length === 0 && doubled.length === 0,
          `of ${numbers.length} records lost: ${lost.join()}; there twice: ${doubled.join()}`,
        )
      } finally {
        await producer.stop()
        await consumer.stop()
      }
    }),
}

await main(
  [
    textFile('none'),
    textFile('zstd'),
    formats,
    isolation,
    topics,
    configs,
    consumerGroups,
    offsets,
    cluster,
    operations,
    performance,
    verifiable,
    shareGroup,
    killedLeader,
  ],
  2,
)
