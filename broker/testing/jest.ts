/**
 * kafkito in jest: `const kafka = useKafka()` at the top of a file (or of a `describe`) starts a cluster before its tests, gives each test a
 * scope, and ends both. Jest itself is not imported: its globals are used, or those that are given.
 */
import type { StartOptions } from './options.ts'
import type { Scope } from './scope.ts'
import { startCluster } from './start-cluster.ts'
import type { TestCluster } from './test-cluster.ts'

type Hook = (run: () => Promise<void>) => void

/** Of `@jest/globals`, when the globals are not injected. */
export interface JestHooks {
  readonly beforeAll: Hook
  readonly afterAll: Hook
  readonly beforeEach: Hook
  readonly afterEach: Hook
}

export interface KafkaInJest {
  /** The cluster of the file. */
  readonly cluster: TestCluster
  /** The scope of the present test. */
  readonly scope: Scope
}

export function useKafka(
  options: StartOptions = {},
  hooks: JestHooks = globalThis as unknown as JestHooks,
): KafkaInJest {
  if (typeof hooks.beforeAll !== 'function')
    throw new Error(
      'useKafka needs the hooks of jest: call it in a test file, or pass those of @jest/globals.',
    )
  let cluster: TestCluster | undefined
  let scope: Scope | undefined
  hooks.beforeAll(async () => {
    cluster = await startCluster(options)
  })
  hooks.beforeEach(async () => {
    scope = cluster?.scope()
  })
  hooks.afterEach(async () => {
    await scope?.end()
  })
  hooks.afterAll(async () => {
    await cluster?.stop()
  })
  const there = <T>(value: T | undefined, what: string): T => {
    if (value === undefined) throw new Error(`There is no ${what} yet: it exists inside of tests and hooks.`)
    return value
  }
  return {
    get cluster() {
      return there(cluster, 'cluster')
    },
    get scope() {
      return there(scope, 'scope')
    },
  }
}
