/**
 * One test's share of a cluster: names of its own, faults of its own, and an end that looks for what was left behind and removes it.
 *
 * Owner: the test; `await using` ends it. Invariant: nothing outside of its names is deleted.
 */
import { ListGroups } from '../../common/protocol/apis/16-list-groups.ts'
import { DeleteGroups } from '../../common/protocol/apis/42-delete-groups.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Faults } from './faults.ts'
import { deleteTopics, TopicHandle, type TopicHost } from './topic-handle.ts'
import { faultProblems, heldProblems, VerificationError } from './verify.ts'
import type { WaitFor } from './wait-for.ts'
import type { Wire } from './wire.ts'

export interface ScopeParts {
  readonly prefix: string
  readonly bootstrapServers: string
  readonly brokers: readonly string[]
  readonly host: TopicHost
  readonly wire: Wire
  /** Throws on a cluster that is not in this process. */
  readonly faults: () => Faults
  readonly waitFor: (nameOf: (name: string) => string) => WaitFor
  /** Members and held requests that are still there, in words; names begin with the prefix. */
  readonly leaks: (prefix: string) => Promise<readonly string[]>
  /** Names of topics and groups with the prefix; undefined: to be asked over the wire. */
  readonly namesOf: ((prefix: string) => { topics: readonly string[]; groups: readonly string[] }) | undefined
  readonly isStrict: boolean
}

export class Scope {
  /** What its names begin with. */
  readonly prefix: string
  readonly bootstrapServers: string
  readonly brokers: readonly string[]
  readonly waitFor: WaitFor
  readonly #parts: ScopeParts
  #faults: Faults | undefined
  #ending: Promise<void> | undefined

  /** @internal */
  constructor(parts: ScopeParts) {
    this.#parts = parts
    this.prefix = parts.prefix
    this.bootstrapServers = parts.bootstrapServers
    this.brokers = parts.brokers
    this.waitFor = parts.waitFor((name) => this.name(name))
  }

  /** A name of this scope, for topics, groups and transactional ids; one that is already is left as it is. */
  name(name: string): string {
    return name.startsWith(`${this.prefix}.`) ? name : `${this.prefix}.${name}`
  }

  group(name = 'group'): string {
    return this.name(name)
  }

  transactionalId(name = 'transaction'): string {
    return this.name(name)
  }

  topic(name: string): TopicHandle {
    return new TopicHandle(this.#parts.host, this.name(name))
  }

  /** Rules set here end with the scope. */
  get faults(): Faults {
    this.#faults ??= this.#parts.faults()
    return this.#faults
  }

  /** Removes everything of this scope. @throws VerificationError when a test left faults unmet, members or held requests. Idempotent */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  async #end(): Promise<void> {
    const { leaks, isStrict } = this.#parts
    const problems = [
      ...faultProblems(this.#faults?.unused() ?? []),
      ...heldProblems(this.#faults?.holding() ?? []),
      ...(await leaks(`${this.prefix}.`)),
    ]
    this.#faults?.reset()
    await this.#remove()
    if (isStrict && problems.length > 0) throw new VerificationError(problems)
  }

  async #remove(): Promise<void> {
    const { wire, namesOf } = this.#parts
    const start = `${this.prefix}.`
    const { topics, groups } = namesOf?.(start) ?? (await this.#askNames(start))
    await Promise.all([deleteTopics(wire, topics), ...groups.map((group) => deleteGroup(wire, group))])
  }

  async #askNames(start: string): Promise<{ topics: readonly string[]; groups: readonly string[] }> {
    const { wire } = this.#parts
    const { topics, brokers } = await wire.metadata(null)
    const groups = new Set<string>()
    for (const { nodeId } of brokers) {
      const listed = await wire.broker(nodeId, ListGroups, {})
      for (const { groupId } of listed.groups) if (groupId.startsWith(start)) groups.add(groupId)
    }
    const names = (topics ?? []).flatMap(({ name }) => (name?.startsWith(start) === true ? [name] : []))
    return { topics: names, groups: [...groups] }
  }
}

/** A group that still has members goes with their sessions. */
async function deleteGroup(wire: Wire, groupId: string): Promise<void> {
  await wire.coordinator(groupId, DeleteGroups, { groupsNames: [groupId] }, ({ results }) => {
    const errorCode = results[0]?.errorCode ?? ErrorCode.NONE
    return errorCode === ErrorCode.NON_EMPTY_GROUP ? ErrorCode.NONE : errorCode
  })
}
