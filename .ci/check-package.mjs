// Packs the package as it would be published and looks at it: publint, arethetypeswrong, what is in it, and whether it works where it
// is installed. Leaves nothing behind.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })
const bin = (name) => join('node_modules', '.bin', name)
const expect = (condition, message) => {
  if (!condition) throw new Error(message)
}

/** Runs a cluster until something is there. */
async function startUntil(command, isThere) {
  const flags = ['start', '--memory', '--port', '0', '--no-http']
  const cluster = spawn(process.execPath, [command, ...flags], { stdio: 'ignore' })
  for (let count = 0; count < 600 && !isThere(); count++) await setTimeout(100)
  cluster.kill()
  expect(isThere(), 'a start has not kept what V8 compiled for it')
}

const directory = mkdtempSync(join(tmpdir(), 'kafkito-package-'))
try {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory]),
  )
  const tarball = join(directory, packed.filename)
  const paths = packed.files.map(({ path }) => path)
  const stranger = paths.find(
    (path) =>
      !/^(dist\/|docs\/[^/]+\.md$|(README\.md|LICENSE|NOTICE|CHANGELOG\.md|package\.json)$)/.test(path),
  )
  expect(!paths.some((path) => path.startsWith('dist/compiled/')), 'compiled code fits this machine only')
  expect(stranger === undefined, `${stranger} does not belong into the package`)
  for (const path of [
    'dist/cli.cjs',
    'dist/index.js',
    'dist/LICENSES',
    'README.md',
    'LICENSE',
    'NOTICE',
    'CHANGELOG.md',
  ]) {
    expect(paths.includes(path), `${path} is missing in the package`)
  }
  console.log(run(bin('publint'), ['--strict', tarball]).trim())
  // CommonJS has to import() it: the package is an ES module only.
  console.log(
    run(bin('attw'), [
      tarball,
      '--profile',
      'esm-only',
      '--no-color',
      '--no-emoji',
      '--format',
      'ascii',
    ]).trim(),
  )

  const home = join(directory, 'home')
  writeFileSync(join(directory, 'package.json'), '{ "private": true }')
  run('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', '--omit=dev', tarball])
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const told = run(join(home, 'node_modules', '.bin', 'kafkito'), ['--version']).trim()
  expect(told === version, `the installed command says version ${told}, not ${version}`)
  const program =
    "const { startCluster } = await import('kafkito'); const c = await startCluster(); console.log(c.bootstrapServers); await c.stop()"
  const address = run(process.execPath, ['--input-type=module', '-e', program], { cwd: home }).trim()
  expect(/^127\.0\.0\.1:\d+$/.test(address), `the installed library started at "${address}"`)

  const dist = join(home, 'node_modules', 'kafkito', 'dist')
  const compiled = join(dist, 'compiled', `${process.version}-${process.arch}`)
  await startUntil(join(dist, 'cli.cjs'), () => existsSync(compiled))
  const code = readFileSync(compiled)
  const middle = code.length >> 1
  writeFileSync(compiled, code.fill(0xff, middle, middle + 16))
  const toldAgain = run(process.execPath, [join(dist, 'cli.cjs'), '--version']).trim()
  expect(toldAgain === version, `with compiled code that was damaged it says version ${toldAgain}`)
  console.log(
    `installed: version ${told}, ${paths.length} files, ${Math.round(packed.size / 1024)} KiB packed`,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
