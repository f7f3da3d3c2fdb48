/** `kafkito broker`: stops, kills, freezes … brokers of a running cluster over its HTTP interface, for those who want to watch a failure. */
import { CommandFailure, type CommandStreams, ExitCode } from '../failure.ts'
import { ask } from './ask.ts'

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
  const answer = await ask(url, path, {
    method,
    timeoutMs: TIMEOUT_MS,
    startCommand: 'kafkito start --brokers 3',
    ...(body === undefined ? {} : { body }),
  })
  if (answer.isOk) return answer.body
  throw new CommandFailure(ExitCode.FAILED, String(answer.body.message ?? `HTTP ${answer.status}`))
}
