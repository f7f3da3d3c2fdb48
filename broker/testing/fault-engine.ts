/**
 * Stands between clients and brokers for a test: applies fault rules and control hooks, changes what answers say of the cluster, and keeps
 * the journal.
 *
 * Owner: the cluster of a test; one for all of its brokers and all of their lives. What the nodes and the fixture itself say to each other
 * passes untouched, unless a rule says `internal`. Hooks are asked before rules, both oldest first.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { type Fault, FaultRules } from '../../common/runtime/faults.ts'
import type { Random } from '../../common/runtime/random.ts'
import type { Reactor } from '../../common/runtime/reactor.ts'
import { type Answer, CLOSE_CONNECTION, NO_RESPONSE } from '../api/handler.ts'
import type { ConnectionInfo } from '../network/connection-info.ts'
import type { InterceptedRequest, Interceptor } from '../network/interception.ts'
import { AnswerOverrides } from './answer-overrides.ts'
import type { Companion, Reply } from './companion.ts'
import { type ControlHook, ControlHooks, type ControlVerdict } from './control-hooks.ts'
import { corruptedAnswer, corruptedRequest } from './corruption.ts'
import type { Journal } from './journal.ts'
import {
  divideRequest,
  errorsIn,
  mergeAnswers,
  type Named,
  type NamedTopic,
  namedIn,
} from './message-shape.ts'
import { OpenRequests } from './open-requests.ts'

/** Name of the fixture's own end in the network between the nodes. */
export const FIXTURE_ENDPOINT = 'fixture'

const NAMING_NOTHING: Named = { topics: [], groups: [], transactionalIds: [] }

export class FaultEngine implements Interceptor {
  readonly rules: FaultRules
  readonly hooks = new ControlHooks()
  readonly overrides = new AnswerOverrides()
  readonly journal: Journal
  readonly openRequests = new OpenRequests()
  /** Who else watches what clients ask, and may let an answer wait. */
  readonly #companions = new Set<Companion>()
  /** What went wrong inside hooks, for `verify`. */
  readonly problems: string[] = []
  readonly #reactor: Reactor
  readonly #down = new Set<number>()
  readonly #delays = new Map<number, number>()

  constructor(options: { random: Random; reactor: Reactor; journal: Journal }) {
    this.rules = new FaultRules({ random: options.random })
    this.#reactor = options.reactor
    this.journal = options.journal
  }

  /** Nothing to do: requests need not come here. */
  get isIdle(): boolean {
    return (
      !this.journal.isRecording &&
      this.rules.isEmpty &&
      this.hooks.isEmpty &&
      this.overrides.isEmpty &&
      this.#companions.size === 0 &&
      this.#down.size + this.#delays.size === 0
    )
  }

  // --- brokers -----------------------------------------------------------------------------------------------------

  setDown(nodeId: number, isDown: boolean): void {
    if (isDown) this.#down.add(nodeId)
    else this.#down.delete(nodeId)
  }

  /** Every request of a client to this broker waits so long before it is carried out. */
  setDelay(nodeId: number, delayMs: number): void {
    if (delayMs > 0) this.#delays.set(nodeId, delayMs)
    else this.#delays.delete(nodeId)
  }

  isDown(nodeId: number): boolean {
    return this.#down.has(nodeId)
  }

  /** Stays until the end, whatever is reset. Idempotent. */
  accompany(companion: Companion): void {
    this.#companions.add(companion)
  }

  /** Takes back everything but the journal. */
  reset(): void {
    this.rules.reset()
    this.hooks.clear()
    this.overrides.clear()
    this.#down.clear()
    this.#delays.clear()
    this.problems.length = 0
  }

  // --- Interceptor -------------------------------------------------------------------------------------------------

  mayConnect(nodeId: number, clientAddress: string): boolean {
    return !this.#down.has(nodeId) || isInside(clientAddress)
  }

  intercept(exchange: InterceptedRequest): Reply {
    const { context, api } = exchange
    const { connection, broker } = context
    if (connection.clientAddress === FIXTURE_ENDPOINT) return exchange.proceed()
    const isInternal = isInternalConnection(connection)
    if (isInternal && this.rules.isEmpty) return exchange.proceed()
    const needsNames = this.journal.isRecording || !this.rules.isEmpty
    const named = needsNames
      ? namedIn(api, exchange.request, (id) => broker.metadata.topicsById.get(id)?.name)
      : NAMING_NOTHING
    const journey = { isFault: false }
    let reply = this.#afterDelay(exchange, named, isInternal, journey)
    if (!isInternal) for (const companion of this.#companions) reply = companion(exchange, reply)
    if (this.journal.isRecording && !isInternal) this.#record(exchange, named, journey, reply)
    return reply
  }

  #record(exchange: InterceptedRequest, named: Named, journey: { isFault: boolean }, reply: Reply): void {
    const { context, api } = exchange
    const { clock } = context.broker.runtime
    reply.whenDone((answer) => {
      const { principal } = context
      this.journal.add(
        {
          timeMs: clock.wallMs(),
          api: api.name,
          version: context.apiVersion,
          clientId: context.clientId,
          connectionId: context.connection.id,
          principal: `${principal.type}:${principal.name}`,
          broker: context.broker.nodeId,
          ...named,
          durationMs: clock.monotonicMs() - context.receivedMs,
          outcome:
            answer === NO_RESPONSE ? 'no answer' : answer === CLOSE_CONNECTION ? 'disconnected' : 'answered',
          isFault: journey.isFault,
        },
        typeof answer === 'symbol' ? [] : errorsIn(api, answer),
      )
    })
  }

  #afterDelay(
    exchange: InterceptedRequest,
    named: Named,
    isInternal: boolean,
    journey: { isFault: boolean },
  ): Reply {
    const { broker } = exchange.context
    const delayMs = isInternal ? undefined : this.#delays.get(broker.nodeId)
    if (delayMs === undefined) return this.#decide(exchange, named, isInternal, journey)
    const reply = new Deferred<Answer<unknown>>()
    broker.scheduler.schedule(`round trip time of broker ${broker.nodeId}`, delayMs, () =>
      this.#decide(exchange, named, isInternal, journey).whenDone((answer) => reply.complete(answer)),
    )
    return reply
  }

  #decide(
    exchange: InterceptedRequest,
    named: Named,
    isInternal: boolean,
    journey: { isFault: boolean },
  ): Reply {
    const { api, context } = exchange
    if (isInternal) return this.#byRules(exchange, named, true, journey)
    if (!this.overrides.allows(api, context.apiVersion)) return Deferred.of<Answer<unknown>>(CLOSE_CONNECTION)
    if (this.hooks.isEmpty) return this.#byRules(exchange, named, false, journey)
    return this.#byHooks(this.hooks.forApi(api.name), exchange, named, journey)
  }

  // --- hooks -------------------------------------------------------------------------------------------------------

  #byHooks(
    hooks: readonly ControlHook[],
    exchange: InterceptedRequest,
    named: Named,
    journey: { isFault: boolean },
  ): Reply {
    const [hook, ...others] = hooks
    if (hook === undefined) return this.#byRules(exchange, named, false, journey)
    let verdict: ControlVerdict | Promise<ControlVerdict>
    try {
      verdict = hook.ask(exchange, () => this.#byRules(exchange, named, false, journey))
    } catch (error) {
      this.problems.push(`a control hook for ${exchange.api.name} threw: ${String(error)}`)
      verdict = undefined
    }
    const goOn = (settled: ControlVerdict): Reply => {
      if (settled === undefined) return this.#byHooks(others, exchange, named, journey)
      journey.isFault = true
      hook.onHandled()
      return settled.reply(exchange)
    }
    if (!(verdict instanceof Promise)) return goOn(verdict)
    const reply = new Deferred<Answer<unknown>>()
    const settle = (settled: ControlVerdict): void =>
      this.#reactor.post(() => goOn(settled).whenDone((answer) => reply.complete(answer)))
    verdict.then(settle, (error: unknown) => {
      this.problems.push(`a control hook for ${exchange.api.name} failed: ${String(error)}`)
      settle(undefined)
    })
    return reply
  }

  // --- rules -------------------------------------------------------------------------------------------------------

  #byRules(
    exchange: InterceptedRequest,
    named: Named,
    isInternal: boolean,
    journey: { isFault: boolean },
  ): Reply {
    const { api, context } = exchange
    const fault = this.rules.isEmpty
      ? undefined
      : this.rules.match({
          api: api.name,
          version: context.apiVersion,
          broker: context.broker.nodeId,
          clientId: context.clientId,
          isInternal,
          ...named,
          topics: topicsMeant(exchange, named),
        })
    if (fault !== undefined) journey.isFault = true
    const reply = fault === undefined ? exchange.proceed() : this.#apply(fault, exchange)
    if (isInternal || !this.overrides.concerns(api)) return reply
    return reply.map((answer) => this.overrides.change(exchange, answer))
  }

  #apply(fault: Fault, exchange: InterceptedRequest): Reply {
    const { action } = fault
    const { afterApply = false, drop = false, swallow = false, disconnect = false, error } = action
    if (afterApply || swallow) {
      return exchange.proceed().flatMap((answer) =>
        this.#pause(fault, exchange).map((): Answer<unknown> => {
          if (typeof answer === 'symbol') return answer
          if (disconnect) return CLOSE_CONNECTION
          if (drop || swallow) return NO_RESPONSE
          const told = error === undefined ? answer : refusedAfter(fault, exchange, answer)
          return this.#edited(fault, exchange, told)
        }),
      )
    }
    return this.#pause(fault, exchange).flatMap((): Reply => {
      if (drop) return Deferred.of<Answer<unknown>>(NO_RESPONSE)
      if (disconnect) return Deferred.of<Answer<unknown>>(CLOSE_CONNECTION)
      const reply = error === undefined ? carriedOut(fault, exchange) : refusedBefore(fault, exchange)
      return reply.map((answer) => this.#edited(fault, exchange, answer))
    })
  }

  #pause(fault: Fault, exchange: InterceptedRequest): Deferred<void> {
    const { delayMs = 0, hold = false } = fault.action
    const done = new Deferred<void>()
    const goOn = (): void => {
      if (hold) fault.hold(() => this.#reactor.post(() => done.complete()))
      else done.complete()
    }
    if (delayMs > 0) {
      const { broker } = exchange.context
      broker.scheduler.schedule(`delay of ${exchange.api.name} by a fault`, delayMs, goOn)
    } else goOn()
    return done
  }

  #edited(fault: Fault, exchange: InterceptedRequest, answer: Answer<unknown>): Answer<unknown> {
    if (typeof answer === 'symbol') return answer
    const { throttleTimeMs, leader, corrupt = false } = fault.action
    let edited: Answer<unknown> = corrupt ? corruptedAnswer(exchange, answer, meantBy(fault)) : answer
    if (throttleTimeMs !== undefined && 'throttleTimeMs' in exchange.api.response.fields)
      edited = { ...(edited as object), throttleTimeMs }
    if (leader !== undefined && exchange.api.name === 'Metadata')
      edited = AnswerOverrides.withLeader(edited, leader, meantBy(fault))
    return edited
  }
}

function isInside(clientAddress: string): boolean {
  return clientAddress === FIXTURE_ENDPOINT || clientAddress.startsWith('broker-')
}

/** What a node of the cluster asks, for itself or on behalf of a client. */
export function isInternalConnection(connection: ConnectionInfo): boolean {
  return connection.listener.kind === 'controller' || isInside(connection.clientAddress)
}

/** Names of the topics that a request is about, also those of its fetch session. */
export function topicNamesOf(exchange: InterceptedRequest): readonly string[] {
  const { topicsById } = exchange.context.broker.metadata
  const named = namedIn(exchange.api, exchange.request, (id) => topicsById.get(id)?.name)
  return topicsMeant(exchange, named).map(({ name }) => name)
}

/** What a request is about, also when it does not say: Metadata of all topics, a fetch in a session. */
function topicsMeant(exchange: InterceptedRequest, named: Named): readonly NamedTopic[] {
  if (isAboutAllTopics(exchange)) return allTopics(exchange)
  const inSession = sessionTopics(exchange)
  return inSession.length === 0 ? named.topics : [...named.topics, ...inSession]
}

function sessionTopics(exchange: InterceptedRequest): readonly NamedTopic[] {
  return sessionPartitions(exchange).map(({ topic, topicId, partition }) => {
    const name = topic || exchange.context.broker.metadata.topicsById.get(topicId)?.name
    return { name: name ?? '', partitions: [partition] }
  })
}

function sessionPartitions({ api, request, context }: InterceptedRequest) {
  const { sessionId = 0 } = api.name === 'Fetch' ? (request as { sessionId?: number }) : {}
  return sessionId > 0 ? context.broker.fetchSessions.partitionsOf(sessionId) : []
}

/** The request with every partition of its session, for telling what an error is about. */
function wholeFetch(exchange: InterceptedRequest): unknown {
  const partitions = sessionPartitions(exchange)
  if (partitions.length === 0) return exchange.request
  const topics = new Map<string, { topic: string; topicId: string; partitions: unknown[] }>()
  for (const { topic, topicId, ...partition } of partitions) {
    const key = `${topic}/${topicId}`
    const entry = topics.get(key) ?? { topic, topicId, partitions: [] }
    entry.partitions.push(partition)
    topics.set(key, entry)
  }
  return { ...(exchange.request as object), topics: [...topics.values()] }
}

function isAboutAllTopics({ api, request }: InterceptedRequest): boolean {
  return api.name === 'Metadata' && (request as { topics: unknown }).topics === null
}

function allTopics({ context }: InterceptedRequest): readonly NamedTopic[] {
  return [...context.broker.metadata.topicsByName.keys()].map((name) => ({ name, partitions: [] }))
}

// --- errors at the right level -----------------------------------------------------------------------------------------

function codeOf(fault: Fault): Exclude<ErrorCode, 0> {
  return ErrorCode[fault.action.error as keyof typeof ErrorCode] as Exclude<ErrorCode, 0>
}

function isOneOf<T>(wanted: T | readonly T[] | undefined, actual: T): boolean {
  if (wanted === undefined) return true
  return Array.isArray(wanted) ? wanted.includes(actual) : wanted === actual
}

function meantBy(fault: Fault): (topic: string, partition: number | undefined) => boolean {
  const { topic, partition } = fault.rule.when
  return (name, index) => isOneOf(topic, name) && (index === undefined || isOneOf(partition, index))
}

/** The part of the request that the rule is about; undefined: all of it. */
function partOf(fault: Fault, exchange: InterceptedRequest): ReturnType<typeof divideRequest> {
  const { topic, partition } = fault.rule.when
  if (topic === undefined && partition === undefined) return undefined
  const { api, context } = exchange
  const request = wholeFetch(exchange)
  const { topicsById } = context.broker.metadata
  const divided = divideRequest(api, request, meantBy(fault), (id) => topicsById.get(id)?.name)
  // A fetch keeps its session only when it is carried out.
  return divided?.hasRest === true || api.name === 'Fetch' ? divided : undefined
}

function carriedOut(fault: Fault, exchange: InterceptedRequest): Reply {
  return fault.action.corrupt === true
    ? exchange.proceed(corruptedRequest(exchange, meantBy(fault)))
    : exchange.proceed()
}

function hasNoAnswer(api: ApiSchema, request: unknown): boolean {
  return api.name === 'Produce' && (request as { acks: number }).acks === 0
}

/** The error in place of the handler; what the rule is not about is carried out. */
function refusedBefore(fault: Fault, exchange: InterceptedRequest): Reply {
  const { api, request } = exchange
  // Kafka closes the connection: there is no answer that could tell.
  if (hasNoAnswer(api, request)) return Deferred.of<Answer<unknown>>(CLOSE_CONNECTION)
  const divided = partOf(fault, exchange)
  if (divided === undefined) return Deferred.of<Answer<unknown>>(exchange.refuse(codeOf(fault)))
  const refused = exchange.refuse(codeOf(fault), divided.meant)
  // A fetch is not divided: its session must hear of every partition. It need not wait for records any more.
  const rest = api.name === 'Fetch' ? { ...(request as object), maxWaitMs: 0 } : divided.rest
  return exchange
    .proceed(rest)
    .map((answer) => (typeof answer === 'symbol' ? answer : mergeAnswers(api, answer, refused)))
}

/** The error in place of the answer: it was carried out all the same. */
function refusedAfter(fault: Fault, exchange: InterceptedRequest, answer: unknown): Answer<unknown> {
  const divided = partOf(fault, exchange)
  if (divided === undefined) return exchange.refuse(codeOf(fault))
  return mergeAnswers(exchange.api, answer, exchange.refuse(codeOf(fault), divided.meant))
}
