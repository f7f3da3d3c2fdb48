/**
 * `globalSetup: ['kafkito/vitest/setup']`: one cluster for the whole run, given to every worker. Does nothing when KAFKITO_BOOTSTRAP names a
 * running cluster already.
 */
import { startCluster } from './start-cluster.ts'

interface Project {
  provide(key: 'kafkitoBootstrapServers', value: string): void
}

/** @returns the tear-down */
export async function setup(project: Project): Promise<() => Promise<void>> {
  const cluster = await startCluster()
  project.provide('kafkitoBootstrapServers', cluster.bootstrapServers)
  return () => cluster.stop()
}
