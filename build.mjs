// Builds dist/: the broker and its command line as one file (packaging/load-broker.cjs says why), the other published entry points with
// shared chunks, so that a cold start reads a few files instead of hundreds; then the type declarations beside them.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout } from 'node:timers/promises'
import * as esbuild from 'esbuild'

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Small, and needed by every start: to find them in node_modules takes longer than to run them. */
const BUNDLED_PACKAGES = readJson('packaging/bundled-packages.json')

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  external: [...Object.keys(readJson('package.json').dependencies), 'vitest'],
  sourcemap: false,
  // Half of a cold start is V8 reading the code: without spaces it is a third shorter. Names stay, for stack traces,
  // and lines stay short, because Node prints the one that threw.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  metafile: true,
  logLevel: 'warning',
}

async function build(options) {
  const { metafile } = await esbuild.build({ ...OPTIONS, ...options })
  for (const path of Object.keys(metafile.outputs))
    writeFileSync(path, withOwnNames(readFileSync(path, 'utf8')))
}

/** A class that names itself is called `_Message` by the bundler: applications see that when they print a message. */
function withOwnNames(code) {
  const names = [...code.matchAll(/\b([A-Z]\w*)=class _\1\b/g)].map(([, name]) => name)
  return names.length === 0 ? code : code.replaceAll(new RegExp(`\\b_(${names.join('|')})\\b`, 'g'), '$1')
}

/** Modules that stay outside of a bundle, by the end of their path. */
function leftOut(filter, path) {
  return {
    name: path,
    setup({ onResolve }) {
      onResolve({ filter }, ({ kind }) => (kind === 'entry-point' ? undefined : { path, external: true }))
    },
  }
}

rmSync('dist', { recursive: true, force: true })
await buildBroker()
await buildEntryPoints()
if (!process.argv.includes('--no-types')) {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  })
}
await compileBroker()

/** broker.cjs with what loads it, the command, and the package's main entry point. */
async function buildBroker() {
  const cjs = { format: 'cjs', outExtension: { '.js': '.cjs' }, outdir: 'dist' }
  await build({
    ...cjs,
    stdin: {
      sourcefile: 'broker',
      // The command needs nothing of the fixture, and the other way round.
      contents: `
        export const loadLibrary = () => require('./broker/index.ts')
        export const runCommandLine = async (args) => (await import('./cli/program.ts')).runCommandLine(args)`,
      resolveDir: '.',
    },
    entryNames: 'broker',
    define: { 'import.meta.url': '__filename' },
    supported: { 'dynamic-import': false },
    plugins: [leftOut(/\/import-module\.ts$/, './import-module.cjs')],
  })
  await build({ ...cjs, entryPoints: ['common/runtime/node/import-module.ts'] })
  for (const name of ['cli.cjs', 'load-broker.cjs']) copyFileSync(`packaging/${name}`, `dist/${name}`)
  chmodSync('dist/cli.cjs', 0o755)
  const names = Object.keys(createRequire(import.meta.url)('./dist/broker.cjs').loadLibrary()).join(', ')
  writeFileSync(
    'dist/index.js',
    `import broker from './load-broker.cjs'\nexport const { ${names} } = broker.loadLibrary()\n`,
  )
  writeFileSync('dist/LICENSES', BUNDLED_PACKAGES.map(licenseOf).join('\n'))
}

function licenseOf(name) {
  const directory = `node_modules/${name}`
  const file = ['LICENSE', 'LICENSE.md'].map((one) => `${directory}/${one}`).find(existsSync)
  return `broker.cjs contains ${name}:\n\n${readFileSync(file, 'utf8')}`
}

async function buildEntryPoints() {
  await build({
    entryPoints: {
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
    },
    outdir: 'dist',
    splitting: true,
    format: 'esm',
    // One process, one broker: the test runners take it from the package's main entry point, which lies beside all chunks.
    chunkNames: '[name]-[hash]',
    plugins: [leftOut(/\/start-cluster\.ts$/, './index.js')],
  })
}

/** Has the first start of this clone find what V8 compiles for it. Nothing depends on it. */
async function compileBroker() {
  const flags = ['--memory', '--brokers', '3', '--port', '0', '--http-port', '0']
  const cluster = spawn(process.execPath, ['dist/cli.cjs', 'start', ...flags], { stdio: 'ignore' })
  for (let count = 0; count < 100 && cluster.exitCode === null && !existsSync('dist/compiled'); count++)
    await setTimeout(100)
  cluster.kill()
}
