// npm writes no lock entry for a platform's package that the registry at hand does not offer, and `npm ci` then refuses the lock.
// Adds what is missing, with the platform that the package's name tells, so that it is skipped everywhere else. Run after `npm install`.
import { readFileSync, writeFileSync } from 'node:fs'

const SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
  'aix',
]
const PROCESSORS = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
]

/** @returns null when the name tells no platform or the range no version */
export function platformEntry(name, range, isDevelopment) {
  const words = name.slice(name.lastIndexOf('/') + 1).split('-')
  const version = /^[~^]?(\d+\.\d+\.\d+\S*)$/.exec(range)?.[1]
  const os = SYSTEMS.find((system) => words.includes(system)) ?? (name === 'fsevents' ? 'darwin' : undefined)
  const cpu = PROCESSORS.find((processor) => words.includes(processor))
  if (version === undefined || (os === undefined && cpu === undefined)) return null
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : os === 'linux' && words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined
  return {
    version,
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(isDevelopment ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    ...(os === undefined ? {} : { os: [os] }),
  }
}

/** Names and ranges of optional dependencies without an entry. */
export function missingEntries(packages) {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {}, dev = false }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`])
      .map(([name, range]) => ({ name, range, isDevelopment: dev })),
  )
}

if (process.argv[1] === import.meta.filename) {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  for (const { name, range, isDevelopment } of missingEntries(lock.packages)) {
    const entry = platformEntry(name, range, isDevelopment)
    if (entry === null) throw new Error(`cannot tell the platform of ${name}@${range}`)
    lock.packages[`node_modules/${name}`] = entry
    console.log(`${name}@${entry.version}`)
  }
  const sorted = Object.entries(lock.packages).sort(([left], [right]) => (left < right ? -1 : 1))
  writeFileSync(
    'package-lock.json',
    `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
  )
}
