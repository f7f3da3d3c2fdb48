/** `kafkito broker`: stops, kills, freezes … brokers of a running cluster over its HTTP interface, for those who want to watch a failure. */
import { CommandFailure, type CommandStreams, ExitCode } from '../failure.ts'

/** A controlled shutdown may take its time. */
const TIMEOUT_MS = 30_000

export interface BrokerFlags {
  readonly url: string
  readonly loseTail?: boolean
  readonly way?: string
  readonly rack?: string
}

interface BrokerView {
  readonly nodeId: number
  readonly state: string
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[]
}

export type BrokerAction =
  | 'list'
  | 'start'
  | 'stop'
  | 'kill'
  | 'freeze'
  | 'thaw'
  | 'isolate'
  | 'heal'
  | 'add'
  | 'remove'

/** @throws CommandFailure when the cluster does not answer, or refuses */
export async function broker(
  action: BrokerAction,
  nodeId: number | undefined,
  flags: BrokerFlags,
  streams: CommandStreams,
): Promise<void> {
  const { url, loseTail, way, rack } = flags
  if (action === 'list') {
    const { brokers } = (await call(url, 'GET', '/api/brokers')) as { brokers: readonly BrokerView[] }
    for (const one of brokers) streams.out(lineOf(one))
    return
  }
  if (action === 'add') {
    const body = rack === undefined ? {} : { rack }
    streams.out(lineOf((await call(url, 'POST', '/api/brokers', body)) as BrokerView))
    return
  }
  if (nodeId === undefined) {
    throw new CommandFailure(
      ExitCode.USAGE,
      `Which broker? "${action}" needs its id.`,
      `For example: kafkito broker ${action} 1`,
    )
  }
  if (action === 'remove') {
    await call(url, 'DELETE', `/api/brokers/${nodeId}`)
    streams.out(`${nodeId}\tremoved`)
    return
  }
  const body = {
    ...(action === 'kill' && loseTail === true ? { loseTail } : {}),
    ...(action === 'isolate' && way !== undefined ? { way } : {}),
  }
  streams.out(lineOf((await call(url, 'POST', `/api/brokers/${nodeId}/${action}`, body)) as BrokerView))
}

/** `1	running	127.0.0.1:9092` */
function lineOf({ nodeId, state, listeners }: BrokerView): string {
  return [nodeId, state, ...listeners.map(({ host, port }) => `${host}:${port}`)].join('\t')
}

async function call(url: string, method: string, path: string, body?: object): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(new URL(path, url), {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  } catch (error) {
    throw new CommandFailure(
      ExitCode.FAILED,
      `Nothing answers at ${url}.`,
      'Start it with: kafkito start --brokers 3',
      {
        cause: error,
      },
    )
  }
  const text = await response.text()
  const answer: unknown = text === '' ? {} : JSON.parse(text)
  if (response.ok) return answer
  const { message = `HTTP ${response.status}` } = answer as { message?: string }
  throw new CommandFailure(ExitCode.FAILED, message)
}
