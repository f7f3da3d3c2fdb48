import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/bench/**'],
    // Many tests wait for time limits of Kafka that cannot be shortened: more workers than cores wait together. Each is a process
    // of its own, because some tests look at the memory and the handles of theirs.
    pool: 'forks',
    maxWorkers: 3,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 30_000,
  },
})
