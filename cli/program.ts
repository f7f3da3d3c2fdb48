/**
 * Commands and their flags, and how their ends become exit codes.
 */
import { Argument, Command, CommanderError, Option } from 'commander'
import { nearestName } from '../broker/config/suggest.ts'
import type { BrokerAction, BrokerFlags } from './commands/broker.ts'
import { CommandFailure, type CommandStreams, ExitCode, failureLines, PROCESS_STREAMS } from './failure.ts'
import { startOptions, wholeNumber } from './start-options.ts'
import type { StartFlags } from './start-settings.ts'
import { VERSION } from './version.ts'

const DEFAULT_HTTP_URL = 'http://127.0.0.1:8080'

/** Runs a command to its end. @returns the exit code */
export async function runCommandLine(
  args: readonly string[],
  streams: CommandStreams = PROCESS_STREAMS,
): Promise<number> {
  try {
    const program = createProgram(streams)
    refuseUnknownCommand(args[0], program)
    await program.parseAsync([...args], { from: 'user' })
    return ExitCode.OK
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE
    if (error instanceof CommandFailure) {
      for (const line of failureLines(error)) streams.error(line)
      return error.exitCode
    }
    streams.error(`kafkito: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return ExitCode.FAILED
  }
}

export function createProgram(streams: CommandStreams): Command {
  const program = new Command('kafkito')
    .description('Little Kafka: a Kafka cluster in one Node process, for any Kafka client.')
    .version(VERSION, '-V, --version')
    .showHelpAfterError('Try: kafkito --help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out(text.trimEnd()),
      writeErr: (text) => streams.error(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'kafkito: ')),
    })
  addStart(program, streams)
  program
    .command('health')
    .description('Ask a running cluster whether it serves clients')
    .addOption(
      new Option('--url <url>', 'its HTTP interface').env('KAFKITO_HTTP_URL').default(DEFAULT_HTTP_URL),
    )
    .action(async ({ url }: { url: string }) => {
      const { health } = await import('./commands/health.ts')
      await health(url, streams)
    })
  addBroker(program, streams)
  return program
}

function addBroker(program: Command, streams: CommandStreams): void {
  program
    .command('broker')
    .description('Stop, kill, freeze … a broker of a running cluster, and see what its clients do')
    .addArgument(
      new Argument('<action>', 'what to do').choices([
        ...['list', 'start', 'stop', 'kill', 'freeze', 'thaw', 'isolate', 'heal', 'add', 'remove'],
      ]),
    )
    .addArgument(new Argument('[id]', 'id of the broker').argParser(wholeNumber))
    .addOption(
      new Option('--url <url>', 'HTTP interface of the cluster')
        .env('KAFKITO_HTTP_URL')
        .default(DEFAULT_HTTP_URL),
    )
    .option('--lose-tail', 'kill: what was not flushed may be lost (a cluster started with --lose-tail)')
    .addOption(
      new Option('--way <way>', 'isolate: what does not pass any more').choices(['both', 'in', 'out']),
    )
    .option('--rack <rack>', 'add: broker.rack of the new one')
    .addHelpText('after', BROKER_HELP_AFTER)
    .action(async (action: BrokerAction, id: number | undefined, flags: BrokerFlags) => {
      const { broker } = await import('./commands/broker.ts')
      await broker(action, id, flags, streams)
    })
}

const BROKER_HELP_AFTER = `
stop     hands its partitions over, as a controlled shutdown does     start  on the same port, with its log
kill     ends at once; noticed when its session ends
freeze   stands still with open sockets                               thaw   goes on
isolate  is cut off from the other brokers, not from clients          heal   is connected again
add      one broker more                                              remove stops it and forgets it`

function addStart(program: Command, streams: CommandStreams): void {
  const start = program
    .command('start', { isDefault: true })
    .description('Start a cluster and run until it is interrupted; may be left out')
    .addHelpText('after', HELP_AFTER)
    .allowExcessArguments(true)
  for (const option of startOptions()) start.addOption(option)
  start.action(async (flags: StartFlags) => {
    if (start.args[0] !== undefined) throw unknownCommand(start.args[0], program)
    for (const line of misspeltVariables(start, process.env)) streams.error(`kafkito: ${line}`)
    const { start: run } = await import('./commands/start.ts')
    await run({ ...flags, ...declinedByVariables(start, process.env) }, streams)
  })
}

const HELP_AFTER = `
Environment: KAFKA_A_B=x sets a.b=x (__ stands for _, ___ for -).
Exit codes: 0 stopped by a signal, 1 failed, 2 wrong usage. On standard output stands one line when clients may come:
  READY bootstrap=127.0.0.1:9092 http=http://127.0.0.1:8080 profile=kafka data=.kafkito`

/** `start` may be left out, so the parser takes a misspelt command and what follows for its arguments. */
function refuseUnknownCommand(name: string | undefined, program: Command): void {
  if (name === undefined || name.startsWith('-') || name === 'help') return
  if (!program.commands.some((command) => command.name() === name)) throw unknownCommand(name, program)
}

function unknownCommand(name: string, program: Command): CommandFailure {
  const near = nearestName(
    name,
    program.commands.map((command) => command.name()),
  )
  return new CommandFailure(
    ExitCode.USAGE,
    `There is no command "${name}".`,
    near === null ? 'Try: kafkito --help' : `Did you mean "kafkito ${near}"?`,
  )
}

const NO: ReadonlySet<string> = new Set(['', '0', 'false', 'no', 'off'])

/** The parser takes any value of a variable for yes; `KAFKITO_MEMORY=false` is meant otherwise. */
function declinedByVariables(command: Command, environment: NodeJS.ProcessEnv): Partial<StartFlags> {
  const declined = command.options.filter(
    (one) =>
      one.isBoolean() &&
      one.envVar !== undefined &&
      command.getOptionValueSource(one.attributeName()) === 'env' &&
      NO.has((environment[one.envVar] ?? '').toLowerCase()),
  )
  return Object.fromEntries(declined.map((one) => [one.attributeName(), false]))
}

/** Variables of other commands and of the fixture. */
const OTHER_VARIABLES = ['KAFKITO_HTTP_URL', 'KAFKITO_BOOTSTRAP']

/** Only those that come near a name are told of: platforms set variables of their own after a service's name. */
function misspeltVariables(command: Command, environment: NodeJS.ProcessEnv): string[] {
  const known = [...command.options.flatMap(({ envVar }) => envVar ?? []), ...OTHER_VARIABLES]
  // Names are compared with dots for underscores.
  const dotted = new Map(known.map((name) => [name.toLowerCase().replaceAll('_', '.'), name]))
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith('KAFKITO_') || known.includes(name)) return []
    const near = nearestName(name, dotted.keys())
    return near === null ? [] : [`${name} has no effect. Did you mean ${dotted.get(near)}?`]
  })
}
