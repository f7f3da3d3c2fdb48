/**
 * How a comparison is described: scenarios of steps, each one request to a broker. Steps may use what earlier answers
 * told. Topics, groups and the like get names of their own for every run, so scenarios never meet.
 */
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'

/** An earlier answer did not have what a later step needs. */
export class NotSaved extends Error {}

/** What earlier steps kept under a name. */
export class Saved {
  readonly #values = new Map<string, unknown>()

  set(name: string, value: unknown): void {
    this.#values.set(name, value)
  }

  /** A topic id, member id or the like. */
  text(name: string): string {
    const value = this.#values.get(name)
    if (typeof value !== 'string') throw new NotSaved(`no step saved the text ${name}`)
    return value
  }

  /** A producer id, epoch, offset or the like. */
  number(name: string): number {
    const value = this.#values.get(name)
    if (typeof value !== 'number') throw new NotSaved(`no step saved the number ${name}`)
    return value
  }

  bytes(name: string): Buffer {
    const value = this.#values.get(name)
    if (!Buffer.isBuffer(value)) throw new NotSaved(`no step saved the bytes ${name}`)
    return value
  }
}

export interface StepOptions<A extends ApiSchema = ApiSchema> {
  /** Connections have names; a request that the broker holds back must not block the others. */
  readonly on?: string
  readonly clientId?: string | null
  /** Keeps parts of the answer for later steps. */
  readonly save?: (answer: ResponseOf<A>) => Readonly<Record<string, unknown>>
  /** Asks again until this holds: what another thread of Kafka does a moment later. Only the last answer counts. */
  readonly until?: (answer: ResponseOf<A>) => boolean
  /** Sends without waiting; a step `collect` takes the answer. */
  readonly later?: boolean
  /** How long to wait where Kafka never answers; the connection is then given up. */
  readonly deadlineMs?: number
  /** Kafka sends no answer to this one (acks=0). */
  readonly silent?: boolean
  /** Keeps only these elements of an array of the answer: lists of the whole cluster hold what others made. */
  readonly only?: (answer: ResponseOf<A>, runId: string) => void
  /** Prepares the ground; its answer is not compared. */
  readonly setup?: boolean
}

export interface RequestStep {
  readonly kind: 'request'
  readonly title: string
  readonly api: ApiSchema
  readonly version: number
  readonly request: (saved: Saved) => RequestInputOf<ApiSchema>
  readonly options: StepOptions
}

/** Bytes as they are, behind a length prefix unless `isWhole`. */
export interface RawStep {
  readonly kind: 'raw'
  readonly title: string
  readonly bytes: Buffer
  readonly isWhole: boolean
  /** How to read the answer; without it only whether one came counts. */
  readonly readAs?: { readonly api: ApiSchema; readonly version: number }
}

export interface CollectStep {
  readonly kind: 'collect'
  readonly title: string
}

export interface CloseStep {
  readonly kind: 'close'
  readonly title: string
  readonly on: string
}

export type Step = RequestStep | RawStep | CollectStep | CloseStep

export interface Scenario {
  readonly name: string
  readonly steps: (nameOf: (what: string) => string) => readonly Step[]
}

export function step<A extends ApiSchema>(
  title: string,
  api: A,
  version: number,
  request: RequestInputOf<A> | ((saved: Saved) => RequestInputOf<A>),
  options: StepOptions<A> = {},
): RequestStep {
  return {
    kind: 'request',
    title: `${title} [${api.name} v${version}]`,
    api,
    version,
    request: (typeof request === 'function' ? request : () => request) as RequestStep['request'],
    options: options as unknown as StepOptions,
  }
}

export function each(versions: readonly number[], make: (version: number) => Step | readonly Step[]): Step[] {
  return versions.flatMap(make)
}

/** Takes the answer of the step with this title that was sent with `later`. */
export function collect<A extends ApiSchema>(title: string, api: A, version: number): CollectStep {
  return { kind: 'collect', title: `${title} [${api.name} v${version}]` }
}

export function raw(title: string, bytes: Buffer, readAs?: RawStep['readAs']): RawStep {
  return { kind: 'raw', title, bytes, isWhole: false, ...(readAs === undefined ? {} : { readAs }) }
}

export function rawWhole(title: string, bytes: Buffer): RawStep {
  return { kind: 'raw', title, bytes, isWhole: true }
}

export function close(on: string): CloseStep {
  return { kind: 'close', title: `close ${on}`, on }
}
