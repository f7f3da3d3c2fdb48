/** `kafkito health`: asks a running cluster whether it serves clients; for health checks of containers. */
import { CommandFailure, type CommandStreams, ExitCode } from '../failure.ts'
import { ask } from './ask.ts'

const TIMEOUT_MS = 3000

/** @throws CommandFailure when the cluster does not answer, or is not ready */
export async function health(url: string, streams: CommandStreams): Promise<void> {
  const answer = await ask(url, '/health/ready', { timeoutMs: TIMEOUT_MS, startCommand: 'kafkito start' })
  const said = String(answer.body.status ?? answer.body.message ?? `HTTP ${answer.status}`)
  if (!answer.isOk) throw new CommandFailure(ExitCode.FAILED, `The cluster at ${url} says: ${said}.`)
  streams.out(said)
}
