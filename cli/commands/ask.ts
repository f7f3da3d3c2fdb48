/** Requests of commands to the HTTP interface of a running cluster, and why they failed in words for people. */
import { CommandFailure, ExitCode } from '../failure.ts'

export interface AskOptions {
  readonly method?: string
  readonly body?: object
  readonly timeoutMs: number
  /** The command that starts what would answer. */
  readonly startCommand: string
}

export interface HttpAnswer {
  readonly isOk: boolean
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * @param url of the interface; `host:port` will do
 * @throws CommandFailure when no cluster answers there
 */
export async function ask(url: string, path: string, options: AskOptions): Promise<HttpAnswer> {
  const { method = 'GET', body, timeoutMs, startCommand } = options
  const target = targetOf(url, path)
  try {
    const response = await fetch(target, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    return { isOk: response.ok, status: response.status, body: text === '' ? {} : JSON.parse(text) }
  } catch (error) {
    throw failureOf(error, url, timeoutMs, startCommand)
  }
}

function targetOf(url: string, path: string): URL {
  const full = /^[a-z]+:\/\//i.test(url) ? url : `http://${url}`
  try {
    return new URL(path, full)
  } catch (cause) {
    const hint = 'For example: --url http://127.0.0.1:8080'
    throw new CommandFailure(ExitCode.USAGE, `"${url}" is no address of an HTTP interface.`, hint, { cause })
  }
}

const OTHER_ADDRESS = 'The READY line of the cluster names its address: give it with --url.'

function failureOf(cause: unknown, url: string, timeoutMs: number, startCommand: string): CommandFailure {
  const fail = (message: string, hint: string): CommandFailure =>
    new CommandFailure(ExitCode.FAILED, message, hint, { cause })
  if (cause instanceof SyntaxError) return fail(`What answers at ${url} is no kafkito.`, OTHER_ADDRESS)
  if (cause instanceof Error && cause.name === 'TimeoutError')
    return fail(`What listens at ${url} has not answered within ${timeoutMs / 1000} s.`, OTHER_ADDRESS)
  return fail(`Nothing answers at ${url}.`, `Start it with: ${startCommand}`)
}
