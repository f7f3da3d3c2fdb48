/**
 * The client families: what each needs from its package registry and how its suite is started.
 *
 * Everything downloaded or built goes to a cache outside of the repository, in a folder named after the hash of the
 * files that decide its content, so a changed requirement makes a new folder and an unchanged one costs nothing.
 */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mustRun, runProgram } from './program.ts'

export interface Family {
  readonly name: string
  /** Installs what is missing and says how to start the suite. */
  readonly prepare: () => Promise<{ command: string; args: string[] }>
}

export const folder = resolve(fileURLToPath(new URL('..', import.meta.url)))
export const root = resolve(folder, '../..')

/** The script that runs Apache Kafka's server and tools. */
export const kafkaTools = process.env.KAFKA_TOOLS ?? resolve(root, '../shared/oracle/kafka')

const cache =
  process.env.INTEROP_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kafkito-interop')

const INSTALL_DEADLINE_MS = 480_000

/** The folder for this content, filled by `fill` when it is new; a fill that fails leaves nothing behind. */
async function cached(
  name: string,
  sources: readonly string[],
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(await readFile(source))
  const directory = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(join(directory, '.complete'))) return directory
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  await fill(directory)
  await mkdir(join(directory, '.complete'))
  return directory
}

async function filesUnder(directory: string, ending: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true })
  return entries
    .filter((entry) => entry.endsWith(ending))
    .sort()
    .map((entry) => join(directory, entry))
}

async function install(program: string, aptPackage: string): Promise<void> {
  const found = await runProgram('sh', ['-c', `command -v ${program}`])
  if (found.code === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await mustRun('apt-get', ['update', '-qq'], { env, timeoutMs: INSTALL_DEADLINE_MS })
  await mustRun('apt-get', ['install', '-y', '-qq', aptPackage], { env, timeoutMs: INSTALL_DEADLINE_MS })
}

const typescript = (name: string): { command: string; args: string[] } => ({
  command: 'node',
  args: ['--import', 'tsx', join(folder, name, 'suite.ts')],
})

export async function pythonEnvironment(): Promise<string> {
  const requirements = join(folder, 'python/requirements.txt')
  await install('python3', 'python3')
  return cached('python', [requirements], async (directory) => {
    const made = await runProgram('python3', ['-m', 'venv', directory], { timeoutMs: INSTALL_DEADLINE_MS })
    if (made.code !== 0) {
      await install('python3-venv', 'python3-venv') // Debian keeps ensurepip in a package of its own
      await mustRun('python3', ['-m', 'venv', '--clear', directory], { timeoutMs: INSTALL_DEADLINE_MS })
    }
    const pip = ['-m', 'pip', 'install', '-q', '--only-binary', ':all:', '-r', requirements]
    await mustRun(join(directory, 'bin/python'), pip, { timeoutMs: INSTALL_DEADLINE_MS })
  })
}

/** The jars of the given Kafka version, and the suite's classes compiled against them. */
export async function javaClasspath(version: string): Promise<string> {
  const project = join(folder, 'java-clients')
  const pom = join(project, 'pom.xml')
  await install('javac', 'default-jdk-headless')
  const jars = await cached(`java-jars-${version}`, [pom], async (directory) => {
    await install('mvn', 'maven')
    await mustRun(
      'mvn',
      ['-q', '-B', '-f', pom, `-Dkafka.version=${version}`, 'dependency:copy-dependencies'].concat(
        `-DoutputDirectory=${directory}`,
        '-DincludeScope=runtime',
      ),
      { timeoutMs: INSTALL_DEADLINE_MS },
    )
  })
  const sources = await filesUnder(join(project, 'src/main/java'), '.java')
  const classes = await cached(`java-classes-${version}`, [pom, ...sources], async (directory) => {
    await mustRun('javac', [
      '-Xlint:all,-processing',
      '-Werror',
      '-cp',
      `${jars}/*`,
      '-d',
      directory,
      ...sources,
    ])
  })
  return `${classes}:${jars}/*`
}

/** The jars of a broker of this version, as `old-brokers/pom.xml` names them. */
export async function oldBrokerJars(kafka: string, scala: string, zookeeper: string): Promise<string> {
  const pom = join(folder, 'old-brokers/pom.xml')
  await install('java', 'default-jre-headless')
  return cached(`old-broker-${kafka}`, [pom], async (directory) => {
    await install('mvn', 'maven')
    const versions = [
      `-Dkafka.version=${kafka}`,
      `-Dscala.version=${scala}`,
      `-Dzookeeper.version=${zookeeper}`,
    ]
    await mustRun(
      'mvn',
      ['-q', '-B', '-f', pom, ...versions, 'dependency:copy-dependencies', `-DoutputDirectory=${directory}`],
      { timeoutMs: INSTALL_DEADLINE_MS },
    )
  })
}

const javaClients = (version: string): Family => ({
  name: `java-clients-${version}`,
  async prepare() {
    const classpath = await javaClasspath(version)
    return {
      command: 'java',
      args: ['-Xshare:auto', '-Xmx512m', '-cp', classpath, 'kafkito.interop.Main'],
    }
  },
})

async function goSuite(name: string): Promise<{ command: string; args: string[] }> {
  const project = join(folder, 'go')
  await mustRun('go', ['version']) // Debian's own is too old for the clients' modules
  const sources = [join(project, 'go.mod'), join(project, 'go.sum'), ...(await filesUnder(project, '.go'))]
  const built = await cached('go', sources, async (directory) => {
    await mustRun('go', ['-C', project, 'build', '-o', directory, './...'], {
      timeoutMs: INSTALL_DEADLINE_MS,
    })
  })
  return { command: join(built, name), args: [] }
}

export const families: readonly Family[] = [
  {
    name: 'kafkajs',
    prepare: async () => typescript('kafkajs'),
  },
  {
    name: 'kcat',
    async prepare() {
      await install('kcat', 'kcat')
      return typescript('kcat')
    },
  },
  {
    name: 'python',
    async prepare() {
      const environment = await pythonEnvironment()
      return { command: join(environment, 'bin/python'), args: ['-u', join(folder, 'python/suite.py')] }
    },
  },
  { name: 'franz-go', prepare: () => goSuite('franz') },
  javaClients('4.4.0'),
  javaClients('4.3.1'),
  {
    name: 'java-cli',
    async prepare() {
      await install('java', 'default-jre-headless')
      await mustRun(kafkaTools, ['install'], { timeoutMs: INSTALL_DEADLINE_MS })
      return typescript('java-cli')
    },
  },
  {
    name: 'directory',
    async prepare() {
      await install('java', 'default-jre-headless')
      await mustRun(kafkaTools, ['install'], { timeoutMs: INSTALL_DEADLINE_MS })
      return typescript('directory')
    },
  },
  {
    name: 'mixed-groups',
    async prepare() {
      await pythonEnvironment()
      await javaClasspath('4.4.0')
      return typescript('mixed-groups')
    },
  },
  {
    name: 'chaos',
    async prepare() {
      await pythonEnvironment()
      await javaClasspath('4.4.0')
      return typescript('chaos')
    },
  },
  {
    name: 'e2e',
    async prepare() {
      await install('java', 'default-jre-headless')
      await mustRun(kafkaTools, ['install'], { timeoutMs: INSTALL_DEADLINE_MS })
      return typescript('e2e')
    },
  },
  {
    name: 'old-brokers',
    prepare: async () => typescript('old-brokers'),
  },
  {
    name: 'client-security',
    async prepare() {
      await install('java', 'default-jre-headless')
      await mustRun(kafkaTools, ['install'], { timeoutMs: INSTALL_DEADLINE_MS })
      return typescript('client-security')
    },
  },
]
