/**
 * What `kafkito start` was asked for, from flags, environment and `server.properties`: flags beat variables, those beat the file, the
 * file beats defaults.
 */
import { unknownKeysIn } from '../broker/config/broker-config.ts'
import type { ProfileName } from '../broker/config/profiles.ts'
import { parseProperties } from '../broker/config/properties.ts'
import { mergeSources, propertiesOfEnvironment } from '../broker/config/sources.ts'
import { CommandFailure, ExitCode } from './failure.ts'

/** The parsed flags of the command; absent where neither flag nor `KAFKITO_` variable was given. */
export interface StartFlags {
  readonly port?: number
  readonly brokers: number
  readonly dataDir?: string
  readonly seedDir?: string
  readonly memory?: boolean
  readonly bind?: string
  readonly advertisedHost?: string
  readonly strictPorts?: boolean
  readonly profile: ProfileName
  readonly config: readonly string[]
  readonly configFile?: string
  readonly logLevel?: string
  /** false: `--no-http`. */
  readonly http: boolean
  readonly httpPort: number
  readonly httpBind: string
  readonly httpAllowHost: readonly string[]
  readonly httpControl?: boolean
  readonly loseTail?: boolean
}

export interface StartSettings {
  readonly brokers: number
  readonly host: string
  readonly port: number
  readonly advertisedHost: string | undefined
  /** undefined: in memory, or where the `log.dirs` of `config` say. */
  readonly dataDir: string | undefined
  /** Of what is put in place before clients may come. */
  readonly seedDir: string | undefined
  readonly profile: ProfileName
  readonly config: ReadonlyMap<string, string>
  readonly strictPorts: boolean
  readonly http:
    | {
        readonly host: string
        readonly port: number
        readonly allowedHosts: readonly string[]
        /** Brokers may be stopped, killed and so on over it. */
        readonly mayControl: boolean
      }
    | undefined
  /** Brokers that are killed may lose what they had not flushed. */
  readonly loseTail: boolean
}

export const DEFAULT_PORT = 9092
export const DEFAULT_HTTP_PORT = 8080
export const DEFAULT_DATA_DIRECTORY = '.kafkito'
const DEFAULT_HOST = '127.0.0.1'

export interface SettingSources {
  readonly flags: StartFlags
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Content of a file. @throws Error when it cannot be read */
  readonly readFile: (path: string) => string
}

/** @throws CommandFailure for what cannot be meant */
export function startSettings({ flags, environment, readFile }: SettingSources): StartSettings {
  const fromFlags = propertiesOfFlags(flags.config)
  refuseUnknownKeys(fromFlags)
  const config = new Map(
    mergeSources({
      profile: replicationWithin(flags.brokers),
      file: flags.configFile === undefined ? new Map() : propertiesOfFile(flags.configFile, readFile),
      environment: knownVariables(environment),
      flags: fromFlags,
    }),
  )
  if (flags.memory === true && flags.dataDir !== undefined) {
    throw new CommandFailure(
      ExitCode.USAGE,
      '--memory and --data-dir exclude each other.',
      'Leave one of them out.',
    )
  }
  if (flags.loseTail === true && flags.memory !== true) {
    throw new CommandFailure(
      ExitCode.USAGE,
      '--lose-tail needs --memory: what a real disk has not flushed cannot be taken from it.',
      'Give both, or leave --lose-tail out.',
    )
  }
  if (isAddressBeforeListeners(flags, environment)) {
    config.delete('listeners')
    config.delete('advertised.listeners')
  }
  const hasLogDirs = config.has('log.dirs') || config.has('log.dir')
  if (flags.memory === true || flags.dataDir !== undefined) {
    config.delete('log.dirs')
    config.delete('log.dir')
  }
  return {
    brokers: flags.brokers,
    host: flags.bind ?? DEFAULT_HOST,
    port: flags.port ?? DEFAULT_PORT,
    advertisedHost: flags.advertisedHost,
    dataDir: flags.dataDir ?? (flags.memory === true || hasLogDirs ? undefined : DEFAULT_DATA_DIRECTORY),
    seedDir: flags.seedDir,
    profile: flags.profile,
    config,
    strictPorts: flags.strictPorts === true,
    loseTail: flags.loseTail === true,
    http: flags.http
      ? {
          host: flags.httpBind,
          port: flags.httpPort,
          mayControl: flags.httpControl === true || isLoopback(flags.httpBind),
          allowedHosts: [
            ...flags.httpAllowHost,
            ...(flags.advertisedHost === undefined ? [] : [flags.advertisedHost]),
          ],
        }
      : undefined,
  }
}

/**
 * Whether an address is given at a level that beats `listeners`. A `KAFKITO_` variable does not beat a `KAFKA_` one or `--config`, which say
 * more: the container sets `KAFKITO_BIND` for everybody.
 */
function isAddressBeforeListeners(
  { port, bind, advertisedHost, config }: StartFlags,
  environment: SettingSources['environment'],
): boolean {
  const given = Object.entries({ PORT: port, BIND: bind, ADVERTISED_HOST: advertisedHost }).filter(
    ([, value]) => value !== undefined,
  )
  const isTyped = given.some(([name, value]) => String(value) !== environment[`KAFKITO_${name}`])
  const hasListeners =
    propertiesOfFlags(config).has('listeners') || propertiesOfEnvironment(environment).has('listeners')
  return isTyped || (given.length > 0 && !hasListeners)
}

/** Clients of other machines reach it, and are then sent to themselves: the trap of every newcomer with containers. */
export function sendsOthersAway({ host, advertisedHost, config }: StartSettings): boolean {
  const isForOthers = host === '0.0.0.0' || host === '::'
  const hasAdvertised = config.has('advertised.listeners') || config.has('listeners')
  return isForOthers && !hasAdvertised && advertisedHost === undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Kafka's internal topics want three replicas; with fewer brokers its own sample files lower that, and so do we. */
function replicationWithin(brokers: number): ReadonlyMap<string, string> {
  const replicas = String(Math.min(3, brokers))
  const minIsr = String(Math.min(2, brokers))
  return new Map([
    ['offsets.topic.replication.factor', replicas],
    ['transaction.state.log.replication.factor', replicas],
    ['transaction.state.log.min.isr', minIsr],
    ['share.coordinator.state.topic.replication.factor', replicas],
    ['share.coordinator.state.topic.min.isr', minIsr],
  ])
}

function propertiesOfFlags(entries: readonly string[]): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const entry of entries) {
    const separator = entry.indexOf('=')
    if (separator < 1) {
      throw new CommandFailure(
        ExitCode.USAGE,
        `--config takes key=value, not "${entry}".`,
        'For example: --config num.partitions=3',
      )
    }
    properties.set(entry.slice(0, separator).trim(), entry.slice(separator + 1).trim())
  }
  return properties
}

/** Whoever types a setting wants it to work; in files and environments unknown ones are ordinary and only warned of. */
function refuseUnknownKeys(properties: ReadonlyMap<string, string>): void {
  const [unknown] = unknownKeysIn(properties.keys())
  if (unknown === undefined) return
  throw new CommandFailure(
    ExitCode.USAGE,
    `Unknown setting "${unknown.name}".`,
    unknown.didYouMean === null
      ? "The names are those of Kafka's broker settings."
      : `Did you mean "${unknown.didYouMean}"?`,
  )
}

/** Variables that merely begin like settings (KAFKA_TOOLS, KAFKA_URL …) are left out, misspelt ones stay to be warned of. */
function knownVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const strangers = new Set(
    unknownKeysIn(propertiesOfEnvironment(environment).keys())
      .filter(({ didYouMean }) => didYouMean === null)
      .map(({ name }) => name),
  )
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([variable, value]) =>
        ![...propertiesOfEnvironment({ [variable]: value }).keys()].some((key) => strangers.has(key)),
    ),
  )
}

function propertiesOfFile(path: string, readFile: (path: string) => string): ReadonlyMap<string, string> {
  let text: string
  try {
    text = readFile(path)
  } catch (error) {
    throw new CommandFailure(
      ExitCode.USAGE,
      `The file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'Check the path after --config-file.',
    )
  }
  const { properties, errors } = parseProperties(text)
  if (errors[0] !== undefined) {
    throw new CommandFailure(
      ExitCode.USAGE,
      `The file ${path} is not right: ${errors[0]}`,
      'Correct that line.',
    )
  }
  return properties
}
