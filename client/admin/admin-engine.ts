/**
 * What the families of admin calls stand on. A family module is functions `(engine, arguments, options) → results`:
 *
 *   export function deleteTopics(engine: AdminEngine, names: readonly string[], options?: OperationOptions) {
 *     const reader = new OptionReader(options)
 *     const operationTimeoutMs = reader.operationTimeoutMs()
 *     const limits = reader.limits()                         // last: refuses unknown names
 *     return engine.keyed<string, void>(names, limits, async (call, results) => {
 *       const { response } = await call.ask({ kind: 'controller' }, { api: DeleteTopics, body: …, codesOf: … })
 *       for (const { name, errorCode, errorMessage } of response.responses) results.settle(name, errorCode, errorMessage)
 *     })
 *   }
 *
 * Arguments are checked before `keyed` (TypeError and ValueError are thrown at once). Keys that the work leaves open are
 * rejected with `_BAD_MSG`; what it throws rejects all that are open. `single` is for calls with one promise.
 */
import type { ClientCore } from '../client-core.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import { LogLevel } from '../log.ts'
import { AdminCall } from './admin-call.ts'
import type { AdminLimits } from './admin-options.ts'
import type { MapKey, ResultMap } from './keyed-map.ts'
import { PendingResults } from './pending-results.ts'

export class AdminEngine {
  readonly core: ClientCore
  readonly #calls = new Set<AdminCall>()
  readonly #warnings = new Set<string>()

  constructor(core: ClientCore) {
    this.core = core
  }

  /** A call with one result a key. */
  keyed<K extends MapKey, T>(
    keys: Iterable<K>,
    limits: AdminLimits,
    work: (call: AdminCall, results: PendingResults<K, T>) => Promise<void>,
  ): ResultMap<K, T> {
    const results = new PendingResults<K, T>(keys)
    if (results.map.size === 0) return results.map
    const fail = (reason: unknown): void => results.rejectOpen(reason)
    this.single(limits, (call) => work(call, results)).then(
      () => fail(new KafkaException(new KafkaError(KafkaError._BAD_MSG, 'The answer has no such entry'))),
      fail,
    )
    return results.map
  }

  /** A call with one result. */
  async single<T>(limits: AdminLimits, work: (call: AdminCall) => Promise<T>): Promise<T> {
    this.core.checkOpen()
    const call = new AdminCall(this.core, limits, (ended) => this.#calls.delete(ended))
    this.#calls.add(call)
    try {
      call.check()
      return await work(call)
    } finally {
      this.#calls.delete(call)
      call.end(new KafkaException(new KafkaError(KafkaError._NOOP)))
    }
  }

  /** Logs the text, at its first time. */
  warnOnce(text: string): void {
    if (this.#warnings.has(text)) return
    this.#warnings.add(text)
    this.core.logger.log(LogLevel.WARNING, 'DEPRECATED', text)
  }

  /** Calls in progress end with `_DESTROY`. */
  close(): void {
    const error = new KafkaError(KafkaError._DESTROY, 'AdminClient has been closed')
    for (const call of [...this.#calls]) call.end(new KafkaException(error))
    this.core.close()
  }
}
