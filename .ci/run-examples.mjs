// Packs the package as it would be published, installs it into a copy of each project under examples/, and runs its tests there.
// node .ci/run-examples.mjs [names…]; ends with "N passed, N failed".
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const wanted = process.argv.slice(2)
const names = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join('examples', entry.name, 'package.json')))
  .map(({ name }) => name)
  .filter((name) => wanted.length === 0 || wanted.includes(name))

const directory = mkdtempSync(join(tmpdir(), 'kafkito-examples-'))
let failed = 0
try {
  const packed = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const tarball = join(directory, JSON.parse(packed)[0].filename)
  for (const name of names) {
    const home = join(directory, name)
    cpSync(join('examples', name), home, {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    manifest.devDependencies.kafkito = `file:${tarball}`
    writeFileSync(join(home, 'package.json'), JSON.stringify(manifest, null, 2))
    console.log(`== example ${name}`)
    const options = { cwd: home, stdio: 'inherit' }
    const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], options)
    const tested = installed.status === 0 ? spawnSync('npm', ['test', '--silent'], options) : installed
    if (tested.status !== 0) failed += 1
    console.log(`== example ${name}: ${tested.status === 0 ? 'passed' : 'failed'}`)
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
console.log(`${names.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
