/** `kafkito health`: asks a running cluster whether it serves clients; for health checks of containers. */
import { CommandFailure, type CommandStreams, ExitCode } from '../failure.ts'

const TIMEOUT_MS = 3000

/** @throws CommandFailure when the cluster does not answer, or is not ready */
export async function health(url: string, streams: CommandStreams): Promise<void> {
  const hint = 'Start it with: kafkito start'
  let response: Response
  try {
    response = await fetch(new URL('/health/ready', url), { signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (error) {
    throw new CommandFailure(ExitCode.FAILED, `Nothing answers at ${url}.`, hint, { cause: error })
  }
  const body = (await response.json()) as { status?: string; message?: string }
  if (!response.ok) {
    throw new CommandFailure(ExitCode.FAILED, `The cluster at ${url} says: ${body.status ?? body.message}.`)
  }
  streams.out(body.status ?? 'ready')
}
