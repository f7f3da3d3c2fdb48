// Builds dist/: one bundle per published entry point with shared chunks, so that a cold start reads a few
// files instead of hundreds; then the type declarations beside them.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const entryPoints = Object.entries({
  index: 'broker/index.ts',
  client: 'client/index.ts',
  admin: 'client/admin/index.ts',
  serialization: 'client/serialization/index.ts',
  constants: 'client/flat-constants.ts',
  kafkajs: 'client/kafkajs/index.ts',
  vitest: 'broker/testing/vitest.ts',
  'vitest-setup': 'broker/testing/vitest-setup.ts',
  jest: 'broker/testing/jest.ts',
  'jest-preset': 'broker/testing/jest-preset.ts',
  'jest-setup': 'broker/testing/jest-setup.ts',
  'jest-teardown': 'broker/testing/jest-teardown.ts',
  cli: 'cli/main.ts',
}).filter(([, path]) => existsSync(path))

rmSync('dist', { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: Object.fromEntries(entryPoints),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  sourcemap: false,
  // Half of a cold start is V8 reading the code: without spaces it is a third shorter. Names stay, for stack traces,
  // and lines stay short, because Node prints the one that threw.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  metafile: true,
  logLevel: 'warning',
})
for (const path of Object.keys(metafile.outputs))
  writeFileSync(path, withOwnNames(readFileSync(path, 'utf8')))
if (existsSync('dist/cli.js')) chmodSync('dist/cli.js', 0o755)
if (!process.argv.includes('--no-types')) {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  })
}

/** A class that names itself is called `_Message` by the bundler: applications see that when they print a message. */
function withOwnNames(code) {
  const names = [...code.matchAll(/\b([A-Z]\w*)=class _\1\b/g)].map(([, name]) => name)
  return names.length === 0 ? code : code.replaceAll(new RegExp(`\\b_(${names.join('|')})\\b`, 'g'), '$1')
}
