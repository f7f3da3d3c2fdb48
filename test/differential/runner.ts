/** Plays scenarios against a broker and gathers what it answered, normalised. */

import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { decodeMessage } from '../../common/protocol/codec.ts'
import { joinFrame } from '../../common/protocol/frame.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../common/protocol/header.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { type Json, Normaliser } from './normalise.ts'
import { type RawAnswer, RawConnection } from './raw-client.ts'
import { NotSaved, type RawStep, type RequestStep, Saved, type Scenario } from './scenario.ts'

/** Answers by scenario, then by the title of the step. */
export type Answers = Record<string, Record<string, Json>>

const UNTIL_DEADLINE_MS = 15_000
const ASK_AGAIN_MS = 20

export interface PlayOptions {
  readonly host: string
  readonly port: number
  /** Makes names fresh; always of the same length, since lengths show in sizes. */
  readonly runId: string
  /** Where connections of these names go; all others go to `host:port`. */
  readonly others?: ReadonlyMap<string, { readonly host: string; readonly port: number }>
}

export function newRunId(): string {
  return `r${Math.floor(Math.random() * 36 ** 7)
    .toString(36)
    .padStart(7, '0')}`
}

/** The first broker, and the others as `broker 2`, `broker 3` … */
export function addressesOf(bootstrap: string): Pick<PlayOptions, 'host' | 'port' | 'others'> {
  const [first, ...others] = bootstrap.split(',').map((one) => {
    const [host = '127.0.0.1', port = '9092'] = one.split(':')
    return { host, port: Number(port) }
  })
  if (first === undefined) throw new Error('no address')
  return { ...first, others: new Map(others.map((address, index) => [`broker ${index + 2}`, address])) }
}

export async function playAll(
  scenarios: readonly Scenario[],
  options: PlayOptions,
  onScenario: (name: string) => void = () => {},
): Promise<Answers> {
  const answers: Answers = {}
  for (const scenario of scenarios) {
    onScenario(scenario.name)
    answers[scenario.name] = await play(scenario, options)
  }
  return answers
}

export async function play(scenario: Scenario, options: PlayOptions): Promise<Record<string, Json>> {
  const player = new Player(options)
  const steps = scenario.steps((what) => `${options.runId}-${scenario.name}-${what}`)
  try {
    for (const one of steps) {
      switch (one.kind) {
        case 'request':
          await player.request(one)
          break
        case 'raw':
          await player.raw(one)
          break
        case 'collect':
          await player.collect(one.title)
          break
        case 'close':
          player.close(one.on)
      }
    }
  } catch (error) {
    if (error instanceof Error) error.message = `${scenario.name}: ${error.message}`
    throw error
  } finally {
    player.closeAll()
  }
  return player.answers
}

class Player {
  readonly answers: Record<string, Json> = {}
  readonly #options: PlayOptions
  readonly #normaliser: Normaliser
  readonly #saved = new Saved()
  readonly #connections = new Map<string, RawConnection>()
  readonly #pending = new Map<string, () => Promise<void>>()
  readonly #titles = new Map<string, number>()
  #correlationId = 0

  constructor(options: PlayOptions) {
    this.#options = options
    this.#normaliser = new Normaliser(options.runId)
  }

  async request(one: RequestStep): Promise<void> {
    const title = this.#fresh(one.title)
    const { options } = one
    const connection = await this.#connection(options.on ?? 'main')
    const request = this.#requestOf(one)
    if (request === undefined) {
      this.answers[title] = 'not asked'
      return
    }
    const correlationId = this.#send(connection, one, request)
    if (options.silent) {
      const probe = this.#sendProbe(connection)
      const answer = await connection.next()
      const isSilent = Buffer.isBuffer(answer) && answer.readInt32BE(0) === probe
      this.answers[title] = isSilent ? 'no answer' : typeof answer === 'string' ? answer : 'an answer'
      return
    }
    const finish = async (): Promise<void> => {
      const first = this.#decode(
        one.api,
        one.version,
        await connection.next(options.deadlineMs),
        correlationId,
      )
      if (first === 'timeout') this.close(options.on ?? 'main')
      const last = await this.#until(one, connection, first)
      this.#keep(one, title, last)
    }
    if (options.later) this.#pending.set(title, finish)
    else await finish()
  }

  async collect(title: string): Promise<void> {
    const finish = this.#pending.get(title)
    if (finish === undefined) throw new Error(`nothing pending under "${title}"`)
    this.#pending.delete(title)
    await finish()
  }

  /** On a connection of its own, since most of these end it. */
  async raw(one: RawStep): Promise<void> {
    const connection = await RawConnection.open(this.#options.host, this.#options.port)
    try {
      if (one.isWhole) connection.write(one.bytes)
      else connection.send(one.bytes)
      const answer = await connection.next(3_000)
      if (typeof answer === 'string') this.answers[one.title] = answer
      else if (one.readAs === undefined) this.answers[one.title] = 'an answer'
      else {
        const { api, version } = one.readAs
        const { reader } = decodeResponseHeader(api, version, answer)
        this.answers[one.title] = this.#normaliser.answer(
          api,
          version,
          decodeMessage(api.response, version, reader),
        )
      }
    } finally {
      connection.close()
    }
  }

  close(name: string): void {
    this.#connections.get(name)?.close()
    this.#connections.delete(name)
  }

  closeAll(): void {
    for (const connection of this.#connections.values()) connection.close()
  }

  /** Steps that are alike are told apart by a number. */
  #fresh(title: string): string {
    const count = (this.#titles.get(title) ?? 0) + 1
    this.#titles.set(title, count)
    return count === 1 ? title : `${title} (${count})`
  }

  async #connection(name: string): Promise<RawConnection> {
    let connection = this.#connections.get(name)
    if (connection === undefined || connection.isClosed) {
      const { host, port } = this.#options.others?.get(name) ?? this.#options
      connection = await RawConnection.open(host, port)
      this.#connections.set(name, connection)
    }
    return connection
  }

  /** Undefined when an earlier answer did not bring what this one needs. */
  #requestOf(one: RequestStep): ReturnType<RequestStep['request']> | undefined {
    try {
      return one.request(this.#saved)
    } catch (error) {
      if (error instanceof NotSaved) return undefined
      throw error
    }
  }

  #send(connection: RawConnection, one: RequestStep, request: ReturnType<RequestStep['request']>): number {
    const correlationId = ++this.#correlationId
    const { version, options } = one
    const clientId = options.clientId === undefined ? 'differential' : options.clientId
    try {
      const header = { version, correlationId, clientId }
      connection.send(joinFrame(encodeRequestFrame(one.api, header, request)))
    } catch (error) {
      if (error instanceof Error) error.message = `"${one.title}": ${error.message}`
      throw error
    }
    return correlationId
  }

  #sendProbe(connection: RawConnection): number {
    const correlationId = ++this.#correlationId
    connection.send(
      joinFrame(encodeRequestFrame(ApiVersions, { version: 0, correlationId, clientId: null }, {})),
    )
    return correlationId
  }

  #decode(
    api: ApiSchema,
    version: number,
    answer: RawAnswer,
    expected: number,
  ): object | 'closed' | 'timeout' {
    if (!Buffer.isBuffer(answer)) return answer
    const { correlationId, reader } = decodeResponseHeader(api, version, answer)
    if (correlationId !== expected) throw new Error(`correlation id ${correlationId} instead of ${expected}`)
    const response = decodeMessage(api.response, version, reader)
    if (reader.remainingBytes !== 0)
      throw new Error(`${reader.remainingBytes} bytes behind ${api.name} v${version}`)
    return response
  }

  async #until(
    one: RequestStep,
    connection: RawConnection,
    first: object | 'closed' | 'timeout',
  ): Promise<object | 'closed' | 'timeout'> {
    const { until } = one.options
    const deadline = Date.now() + UNTIL_DEADLINE_MS
    let answer = first
    while (
      until !== undefined &&
      typeof answer === 'object' &&
      !until(answer as never) &&
      Date.now() < deadline
    ) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
      const correlationId = this.#send(connection, one, one.request(this.#saved))
      answer = this.#decode(one.api, one.version, await connection.next(), correlationId)
    }
    return answer
  }

  #keep(one: RequestStep, title: string, answer: object | 'closed' | 'timeout'): void {
    const { setup, save, only } = one.options
    if (typeof answer === 'string') {
      this.answers[title] = answer
      return
    }
    for (const [name, value] of Object.entries(save?.(answer as never) ?? {})) this.#saved.set(name, value)
    only?.(answer as never, this.#options.runId)
    if (!setup) this.answers[title] = this.#normaliser.answer(one.api, one.version, answer)
  }
}
