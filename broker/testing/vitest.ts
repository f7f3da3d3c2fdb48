/**
 * kafkito in vitest: the `test` of `kafkito/vitest` gives tests a `kafka` fixture, a scope of its own for each test, on one `cluster`
 * per worker. With `kafkito/vitest/setup` as global set-up (or KAFKITO_BOOTSTRAP) the workers share one cluster over the wire.
 */
import { test as base, inject, type TestAPI } from 'vitest'
import type { StartOptions } from './options.ts'
import type { Scope } from './scope.ts'
import { startCluster } from './start-cluster.ts'
import type { TestCluster } from './test-cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Set by `kafkito/vitest/setup`. */
    kafkitoBootstrapServers?: string
  }
}

export interface KafkaFixtures {
  /** How the cluster is started; to be set with `test.override` or `createTest`. */
  readonly cluster: TestCluster
  /** Names, faults and waits of this test; ends with it, and fails it when something was left behind. */
  readonly kafka: Scope
}

/** A `test` with clusters of another kind: more brokers, a virtual clock, other settings. */
export function createTest(options: StartOptions = {}): TestAPI<KafkaFixtures> {
  return base.extend<KafkaFixtures>({
    cluster: [
      // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of the fixtures that are needed from here
      async ({}, use) => {
        const shared = options.bootstrapServers ?? inject('kafkitoBootstrapServers')
        const cluster = await startCluster(
          shared === undefined ? options : { ...options, bootstrapServers: shared },
        )
        await use(cluster)
        await cluster.stop()
      },
      { scope: 'worker' },
    ],
    kafka: async ({ cluster, task }, use) => {
      const scope = cluster.scope(prefixOf(task.name))
      await use(scope)
      await scope.end()
    },
  }) as TestAPI<KafkaFixtures>
}

export const test: TestAPI<KafkaFixtures> = createTest()

/** What topic names may hold of a test's title. */
function prefixOf(title: string): string {
  return (
    title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 40) || 'test'
  )
}
