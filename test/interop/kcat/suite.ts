/** kcat: librdkafka in C, as Debian ships it. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, check, checkEqual, environment, main, uniqueName } from '../lib/cases.ts'
import { mustRun, Running, runProgram } from '../lib/program.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

function kcat(...args: string[]): string[] {
  return ['-b', environment('BOOTSTRAP'), ...args]
}

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'interop-kcat-'))
  try {
    await body(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const textFile = (codec: string): Case => ({
  name: `a text file comes back unchanged with compression ${codec}`,
  run: () =>
    withDirectory(async (directory) => {
      const topic = uniqueName('kcat-text')
      const linesFile = environment('LINES_FILE')
      const outputFile = join(directory, 'lines.txt')
      await mustRun('kcat', kcat('-P', '-t', topic, '-p', '0', '-z', codec), { inputFile: linesFile })
      await mustRun('kcat', kcat('-C', '-t', topic, '-p', '0', '-o', 'beginning', '-e', '-q'), { outputFile })
      const [sent, received] = await Promise.all([readFile(linesFile), readFile(outputFile)])
      check(
        sent.equals(received),
        `${sent.length} bytes were sent, ${received.length} came back, not the same`,
      )
    }),
})

const keysAndHeaders: Case = {
  name: 'keys, headers, an empty value and a null value come back as they were sent',
  run: async () => {
    const topic = uniqueName('kcat-keys')
    const produce = kcat(
      '-P',
      '-t',
      topic,
      '-p',
      '0',
      '-K',
      '|',
      '-H',
      'one=1',
      '-H',
      'one=two',
      '-X',
      'acks=all',
    )
    await mustRun('kcat', produce, { inputText: 'k1|v1\nk2|v2\n' })
    await mustRun('kcat', kcat('-P', '-t', topic, '-p', '0', '-K', '|', '-Z'), { inputText: 'k3|\n' })
    const format = '%o %k %K %s %S %h\\n'
    const read = await mustRun(
      'kcat',
      kcat('-C', '-t', topic, '-p', '0', '-o', 'beginning', '-e', '-q', '-f', format),
    )
    checkEqual(
      read.stdout.split('\n'),
      ['0 k1 2 v1 2 one=1,one=two', '1 k2 2 v2 2 one=1,one=two', '2 k3 2  -1 ', ''],
      'records',
    )
  },
}

const metadata: Case = {
  name: 'metadata lists the brokers and the topic with its leader, replicas and in-sync replicas',
  run: async () => {
    const topic = uniqueName('kcat-metadata')
    await mustRun('kcat', kcat('-P', '-t', topic), { inputText: 'one\n' })
    const listed = await mustRun('kcat', kcat('-L', '-J', '-t', topic))
    const answer = JSON.parse(listed.stdout) as {
      brokers: { id: number; name: string }[]
      controllerid: number
      topics: {
        topic: string
        partitions: {
          partition: number
          leader: number
          replicas: { id: number }[]
          isrs: { id: number }[]
        }[]
      }[]
    }
    const ids = answer.brokers.map((broker) => broker.id)
    check(
      ids.length > 0 && ids.includes(answer.controllerid),
      `brokers ${ids}, controller ${answer.controllerid}`,
    )
    const entry = answer.topics.find((one) => one.topic === topic)
    check(entry !== undefined && entry.partitions.length > 0, `no partitions of ${topic} in ${listed.stdout}`)
    for (const partition of entry.partitions) {
      check(ids.includes(partition.leader), `partition ${partition.partition} has leader ${partition.leader}`)
      check(partition.replicas.length > 0, `partition ${partition.partition} has no replicas`)
      checkEqual(partition.isrs, partition.replicas, `in-sync replicas of partition ${partition.partition}`)
    }
    const human = await mustRun('kcat', kcat('-L', '-t', topic))
    check(human.stdout.includes(`topic "${topic}" with ${entry.partitions.length} partitions`), human.stdout)
  },
}

const offsets: Case = {
  name: 'offsets are found by time and reading starts at an offset, relative to the end, or at a time',
  run: async () => {
    const topic = uniqueName('kcat-offsets')
    const input = Array.from({ length: 10 }, (_, index) => `line ${index}\n`).join('')
    await mustRun('kcat', kcat('-P', '-t', topic, '-p', '0'), { inputText: input })
    const read = async (from: string): Promise<string[]> => {
      const done = await mustRun('kcat', kcat('-C', '-t', topic, '-p', '0', '-o', from, '-e', '-q'))
      return done.stdout.trimEnd().split('\n')
    }
    checkEqual(await read('7'), ['line 7', 'line 8', 'line 9'], 'from offset 7')
    checkEqual(await read('-2'), ['line 8', 'line 9'], 'the last two')
    checkEqual((await read('s@1')).length, 10, 'records since the first millisecond of 1970')
    const query = await mustRun(
      'kcat',
      kcat('-Q', '-t', `${topic}:0:-1`, '-t', `${topic}:0:-2`, '-t', `${topic}:0:1`),
    )
    check(/\[0\] offset 0\b/.test(query.stdout), query.stdout)
    const end = await mustRun('kcat', kcat('-Q', '-t', `${topic}:0:-1`))
    check(/\[0\] offset 10\b/.test(end.stdout), end.stdout)
  },
}

const unknownPartition: Case = {
  name: 'a partition that does not exist is refused',
  run: async () => {
    const topic = uniqueName('kcat-unknown')
    await mustRun('kcat', kcat('-P', '-t', topic, '-p', '0'), { inputText: 'one\n' })
    const done = await runProgram('kcat', kcat('-C', '-t', topic, '-p', '999', '-o', 'beginning', '-e'))
    check(done.code !== 0 && /partition 999 does not exist/.test(done.stderr), `${done.code}: ${done.stderr}`)
  },
}

const group: Case = {
  name: 'two members of a group share the partitions, commit, and a later member resumes after them',
  run: async () => {
    const topic = uniqueName('kcat-group')
    const groupId = uniqueName('kcat-group')
    // Debian's kcat makes no topics with partitions of its own choice; two topics of one partition each do as well.
    const topics = [`${topic}-a`, `${topic}-b`]
    const send = async (from: number, to: number): Promise<void> => {
      for (const name of topics) {
        const text = Array.from({ length: to - from }, (_, index) => `${name} ${from + index}\n`).join('')
        await mustRun('kcat', kcat('-P', '-t', name, '-p', '0'), { inputText: text })
      }
    }
    await send(0, 50)
    const settings = ['-u', '-X', 'auto.offset.reset=earliest', '-X', 'heartbeat.interval.ms=500']
    settings.push('-X', 'partition.assignment.strategy=roundrobin') // range would give both topics to one member
    const member = (): Running => new Running('kcat', kcat('-G', groupId, ...settings, ...topics))
    const messages = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith(topic))
    const assigned = (lines: readonly string[]): number => {
      const last = lines.filter((line) => line.includes('rebalanced')).at(-1) ?? ''
      return /assigned: (.*)$/.exec(last)?.[1]?.split(',').length ?? 0
    }
    const first = member()
    await first.until('the first member reads everything', (lines) => messages(lines).length === 100)
    const second = member()
    await Promise.all([
      first.until('the first member keeps one partition', (lines) => assigned(lines) === 1),
      second.until('the second member gets one partition', (lines) => assigned(lines) === 1),
    ])
    await send(50, 80)
    await Promise.all([
      first.until('the first member reads its share', (lines) => messages(lines).length === 130),
      second.until('the second member reads its share', (lines) => messages(lines).length === 30),
    ])
    await Promise.all([first.stop('SIGINT'), second.stop('SIGINT')])
    await send(80, 90)
    const third = member()
    await third.until('the third member reads what is new', (lines) => messages(lines).length >= 20)
    await third.stop('SIGINT')
    const expected = topics.flatMap((name) =>
      Array.from({ length: 10 }, (_, index) => `${name} ${80 + index}`),
    )
    checkEqual(messages(third.lines).sort(), expected.sort(), 'what the third member read')
  },
}

await main([...CODECS.map(textFile), keysAndHeaders, metadata, offsets, unknownPartition, group])
