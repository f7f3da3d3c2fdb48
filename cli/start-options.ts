/** The flags of `kafkito start`, what their values must look like, and the variables that stand for them. */
import { InvalidArgumentError, Option } from 'commander'

/** In the order of the help. */
export function startOptions(): Option[] {
  return [
    ...clusterOptions(),
    ...httpOptions(),
    option(
      '--lose-tail',
      'with --memory: a broker that is killed may lose what it had not flushed',
      'LOSE_TAIL',
    ),
  ]
}

function clusterOptions(): Option[] {
  return [
    option('--port <port>', 'port of the first broker, the others follow (default: 9092)', 'PORT').argParser(
      portNumber,
    ),
    option('--brokers <count>', 'number of brokers', 'BROKERS').argParser(brokerCount).default(1),
    option('--data-dir <directory>', 'where the data lies (default: .kafkito)', 'DATA_DIR'),
    option(
      '--seed-dir <directory>',
      'topics, records, groups and scripts that are in place when clients may come',
      'SEED_DIR',
    ),
    option('--memory', "keep everything in memory, in half of the machine's at most", 'MEMORY'),
    option('--bind <address>', 'address to listen on (default: 127.0.0.1)', 'BIND'),
    option(
      '--advertised-host <host>',
      'what clients are told to connect to (default: the address bound)',
      'ADVERTISED_HOST',
    ),
    option('--strict-ports', 'fail when a port is busy instead of taking the next', 'STRICT_PORTS'),
    option('--profile <name>', 'kafka: its own timings; test: nothing waits longer than it must', 'PROFILE')
      .choices(['kafka', 'test'])
      .default('kafka'),
    new Option('--config <key=value>', "a broker setting by Kafka's name (may be repeated)")
      .argParser(collected)
      .default([], 'none'),
    option('--config-file <file>', 'broker settings, as server.properties', 'CONFIG_FILE'),
    option('--log-level <level>', 'log debug, info, warn or error to stderr', 'LOG'),
  ]
}

function httpOptions(): Option[] {
  return [
    option('--http-port <port>', 'port of health, metrics and views', 'HTTP_PORT')
      .argParser(portNumber)
      .default(8080),
    option('--http-bind <address>', 'address of the HTTP interface', 'HTTP_BIND').default('127.0.0.1'),
    new Option('--http-allow-host <name>', 'further host name under which HTTP answers (may be repeated)')
      .argParser(collected)
      .default([], 'none'),
    new Option('--no-http', 'no HTTP interface'),
    option(
      '--http-control',
      'HTTP may stop, kill and start brokers (without it only when bound to the loopback interface)',
      'HTTP_CONTROL',
    ),
  ]
}

function option(flags: string, description: string, variable: string): Option {
  return new Option(flags, description).env(`KAFKITO_${variable}`)
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.')
  return Number(text)
}

/** More than anybody wants in one process; a slip of the finger shall not take all memory. */
const MAX_BROKERS = 1000

function brokerCount(text: string): number {
  const count = wholeNumber(text)
  if (count < 1 || count > MAX_BROKERS) throw new InvalidArgumentError(`It is 1 to ${MAX_BROKERS}.`)
  return count
}

function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port > 65_535) throw new InvalidArgumentError('Ports end at 65535.')
  return port
}

function collected(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}
