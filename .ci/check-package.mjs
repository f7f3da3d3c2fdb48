// Packs the package as it would be published and looks at it: publint, arethetypeswrong, what is in it, and whether it works where it
// is installed. Leaves nothing behind.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })
const bin = (name) => join('node_modules', '.bin', name)
const expect = (condition, message) => {
  if (!condition) throw new Error(message)
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
  expect(stranger === undefined, `${stranger} does not belong into the package`)
  for (const path of ['dist/cli.js', 'dist/index.js', 'README.md', 'LICENSE', 'NOTICE', 'CHANGELOG.md']) {
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
  console.log(
    `installed: version ${told}, ${paths.length} files, ${Math.round(packed.size / 1024)} KiB packed`,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
