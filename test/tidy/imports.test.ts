/**
 * The architecture as checks over the tree (docs: section 1 imports, section 4 banned calls, section 9 no dead files). Each check is a
 * pure function of source files, and has a small test of its own beside the one over the tree.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeOnly, filesUnder, parseSource, ROOT, readSource, readSources, type SourceFile } from './tree.ts'

const files = readSources()

// --- direction ---

/**
 * What a folder may import besides itself; the longest folder that a path lies in counts. Folders named in `types` may be imported
 * for their types only.
 */
interface Rule {
  readonly folder: string
  readonly values: readonly string[]
  readonly types?: readonly string[]
}

const RULES: readonly Rule[] = [
  { folder: 'common/protocol', values: [] },
  { folder: 'common/runtime', values: [], types: ['common/protocol/frame.ts'] },
  { folder: 'common/record', values: ['common/protocol'] },
  { folder: 'common/rpc', values: ['common/protocol', 'common/runtime'] },
  { folder: 'common', values: ['common'] },
  { folder: 'storage', values: ['common'] },
  { folder: 'client', values: ['common'] },
  { folder: 'connect', values: ['client', 'common'] },
  { folder: 'broker', values: ['storage', 'common'] },
  { folder: 'cli', values: ['broker', 'client', 'connect', 'storage', 'common'] },
]

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function wrongDirections(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, imports }) => {
    const rule = RULES.filter(({ folder }) => isIn(path, folder)).sort(
      (a, b) => b.folder.length - a.folder.length,
    )[0]
    if (rule === undefined) return [`${path} lies in no folder of the table`]
    const allowed = [rule.folder, ...rule.values]
    return imports
      .filter(({ isRelative }) => isRelative)
      .filter(({ target, isTypeOnly }) => {
        const all = isTypeOnly ? [...allowed, ...(rule.types ?? [])] : allowed
        return !all.some((folder) => isIn(target, folder))
      })
      .map(({ target, isTypeOnly }) => `${path} -> ${target}${isTypeOnly ? ' (types)' : ''}`)
  })
}

/**
 * The floors of the broker, lowest first. A file imports values from its own folder and from floors below, never sideways. Types may
 * point anywhere in the broker, since interfaces are given to those below by those above.
 */
const BROKER_FLOORS: readonly (readonly string[])[] = [
  ['broker/config'],
  ['broker/metadata'],
  ['broker/peer', 'broker/quota', 'broker/telemetry'],
  ['broker/replica'],
  ['broker/statemachine'],
  ['broker/raft'],
  ['broker/controller', 'broker/coordinator', 'broker/security'],
  ['broker/api'],
  ['broker/network'],
]

function floorOf(path: string): number {
  return BROKER_FLOORS.findIndex((folders) => folders.some((folder) => isIn(path, folder)))
}

function folderOf(path: string): string | undefined {
  return BROKER_FLOORS.flat().find((folder) => isIn(path, folder))
}

function wrongFloors(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, imports }) => {
    const folder = folderOf(path)
    if (folder === undefined) return []
    return imports
      .filter(({ isRelative, isTypeOnly }) => isRelative && !isTypeOnly)
      .filter(({ target }) => floorOf(target) >= floorOf(path) && !isIn(target, folder))
      .map(({ target }) => `${path} -> ${target}`)
  })
}

// --- cycles ---

/** Groups of files that import each other in a circle (Tarjan's strongly connected components), each sorted. */
function cycles(sources: readonly SourceFile[], withTypes: boolean): string[][] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (path: string): number => {
    const own = order.size
    order.set(path, own)
    let low = own
    stack.push(path)
    for (const { target, isTypeOnly } of byPath.get(path)?.imports ?? []) {
      if (!byPath.has(target) || (isTypeOnly && !withTypes)) continue
      if (!order.has(target)) low = Math.min(low, visit(target))
      else if (stack.includes(target)) low = Math.min(low, order.get(target) ?? low)
    }
    lowest.set(path, low)
    if (low === own) {
      const group = stack.splice(stack.indexOf(path))
      if (group.length > 1) found.push(group.sort())
    }
    return low
  }
  for (const { path } of sources) if (!order.has(path)) visit(path)
  return found
}

// --- banned calls ---

interface Ban {
  readonly pattern: RegExp
  readonly instead: string
}

const BANNED_CALLS: readonly Ban[] = [
  { pattern: /\bDate\.now\b/, instead: 'clock.wallMs' },
  { pattern: /\bnew Date\(\s*\)/, instead: 'clock.wallMs' },
  { pattern: /(?<![.\w])performance\./, instead: 'clock.monotonicMs' },
  { pattern: /\bprocess\.hrtime\b/, instead: 'clock.monotonicMs' },
  { pattern: /\bMath\.random\b/, instead: 'random.float' },
  {
    pattern: /\bcrypto\.random|\b(?:randomBytes|randomUUID|randomInt)\s*\(/,
    instead: 'random.bytes, random.uuid',
  },
  { pattern: /(?<![.\w#])setTimeout\s*\(/, instead: 'scheduler.schedule' },
  { pattern: /(?<![.\w#])setInterval\s*\(/, instead: 'scheduler.every' },
  { pattern: /(?<![.\w#])setImmediate\s*\(/, instead: 'reactor.post' },
]

const BANNED_MODULES: Readonly<Record<string, string>> = {
  fs: 'the FileSystem port',
  'fs/promises': 'the FileSystem port',
  net: 'the Transport port',
  tls: 'the Transport port',
  dgram: 'the Transport port',
  timers: 'the scheduler',
  'timers/promises': 'the scheduler',
  perf_hooks: 'the clock',
  worker_threads: 'common/runtime/node',
}

/** Where the operating system may be touched: the ports' own side, and the programs that a person starts. */
const SYSTEM_PLACES: readonly string[] = ['common/runtime/node', 'broker/main.ts', 'cli']

function bannedCalls(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path }) => !SYSTEM_PLACES.some((place) => isIn(path, place)))
    .flatMap(({ path, text, imports }) => {
      const calls = codeOnly(text)
        .split('\n')
        .flatMap((line, index) =>
          BANNED_CALLS.filter(({ pattern }) => pattern.test(line)).map(
            ({ pattern, instead }) => `${path}:${index + 1} ${pattern.exec(line)?.[0]}: use ${instead}`,
          ),
        )
      const modules = imports.flatMap(({ target, isTypeOnly }) => {
        const instead = BANNED_MODULES[target.replace(/^node:/, '')]
        return instead === undefined || isTypeOnly ? [] : [`${path} ${target}: use ${instead}`]
      })
      return [...calls, ...modules]
    })
}

const SYNCHRONOUS_FOLDERS: readonly string[] = [
  'broker/api',
  'broker/replica',
  'broker/statemachine',
  'broker/controller',
  'broker/coordinator',
  'storage',
]

function asynchronousCode(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path }) => SYNCHRONOUS_FOLDERS.some((folder) => isIn(path, folder)))
    .flatMap(({ path, text }) =>
      codeOnly(text)
        .split('\n')
        .flatMap((line, index) => {
          const word = /(?<![.\w])(?:async|await)\b(?!\s*[:?])|\bPromise\b|\bqueueMicrotask\b/.exec(line)?.[0]
          return word === undefined ? [] : [`${path}:${index + 1} ${word}: use callbacks or Deferred`]
        }),
    )
}

// --- dead files ---

const ENTRY_POINTS: readonly string[] = [
  'broker/index.ts',
  'broker/main.ts',
  'broker/testing/jest-preset.ts',
  'broker/testing/jest-setup.ts',
  'broker/testing/jest-teardown.ts',
  'broker/testing/jest.ts',
  'broker/testing/vitest-setup.ts',
  'broker/testing/vitest.ts',
  'cli/main.ts',
  'client/index.ts',
  'client/kafkajs/index.ts',
  'client/serialization/index.ts',
  'client/flat-constants.ts',
]
const LIVING_FOLDERS: readonly string[] = ['broker', 'common', 'storage', 'client', 'cli']

/** Files that nobody reaches from the roots, over imports of any kind. */
function deadFiles(sources: readonly SourceFile[], roots: readonly string[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const reached = new Set<string>()
  const waiting = [...roots]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    for (const { target } of byPath.get(path)?.imports ?? []) waiting.push(target)
  }
  return [...byPath.keys()].filter(
    (path) => !reached.has(path) && LIVING_FOLDERS.some((folder) => isIn(path, folder)),
  )
}

describe('imports', () => {
  it('point only where the table allows', () => {
    expect(wrongDirections(files)).toEqual([])
  })

  it('go down the floors of the broker', () => {
    expect(wrongFloors(files)).toEqual([])
  })

  it('lead to files that exist', () => {
    const missing = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ isRelative, target }) => isRelative && !existsSync(join(ROOT, target)))
        .map(({ target }) => `${path} -> ${target}`),
    )
    expect(missing).toEqual([])
  })

  it('make no circle at run time', () => {
    expect(cycles(files, false)).toEqual([])
  })

  // What a broker offers to its handlers names all of its parts, and these name their contexts: only what goes round without it counts.
  it('make no circle of types', () => {
    const hub = 'broker/services.ts'
    expect(
      cycles(
        files.filter(({ path }) => path !== hub),
        true,
      ),
    ).toEqual([])
  })
})

describe('code', () => {
  it('touches the operating system only behind its ports', () => {
    expect(bannedCalls(files)).toEqual([])
  })

  it('runs to completion where state is changed', () => {
    expect(asynchronousCode(files)).toEqual([])
  })

  it('is reached from an entry point or a test', () => {
    const tests = filesUnder('test').map(readSource)
    const roots = [...ENTRY_POINTS, ...tests.map(({ path }) => path)]
    expect(deadFiles([...files, ...tests], roots)).toEqual([])
  })
})

describe('the checks themselves', () => {
  const source = (path: string, text: string) => parseSource(path, text)

  it('see imports of every form and tell types from values', () => {
    const text = `
      // import { a } from './comment.ts'
import type { A } from './a.ts'
import { type B, type C } from './b.ts'
import { type D, e } from './c.ts'
import {
  f,
} from '../d.ts'
import './e.ts'
export { g } from './f.ts'
const late = () => import('./g.ts')
const text = "import { h } from './h.ts'"
`
    const seen = source('broker/x/y.ts', text).imports.map(({ target, isTypeOnly }) => [target, isTypeOnly])
    expect(seen).toEqual([
      ['broker/x/a.ts', true],
      ['broker/x/b.ts', true],
      ['broker/x/c.ts', false],
      ['broker/d.ts', false],
      ['broker/x/e.ts', false],
      ['broker/x/f.ts', false],
      ['broker/x/g.ts', false],
    ])
  })

  it('find an import that points up or sideways', () => {
    const wrong = [
      source('storage/a.ts', "import { b } from '../broker/b.ts'"),
      source('common/runtime/a.ts', "import type { b } from '../protocol/frame.ts'"),
      source('common/runtime/b.ts', "import { b } from '../protocol/frame.ts'"),
      source('client/a.ts', "import type { b } from '../broker/b.ts'"),
    ]
    expect(wrongDirections(wrong)).toEqual([
      'storage/a.ts -> broker/b.ts',
      'common/runtime/b.ts -> common/protocol/frame.ts',
      'client/a.ts -> broker/b.ts (types)',
    ])
  })

  it('find a part of the broker that imports what stands on it', () => {
    const text = "import { a } from '../api/a.ts'\nimport type { b } from '../api/b.ts'"
    expect(wrongFloors([source('broker/replica/a.ts', text)])).toEqual([
      'broker/replica/a.ts -> broker/api/a.ts',
    ])
  })

  it('find circles, those of types only when asked', () => {
    const circle = [
      source('a.ts', "import { b } from './b.ts'"),
      source('b.ts', "import { c } from './c.ts'"),
      source('c.ts', "import type { a } from './a.ts'"),
    ]
    expect(cycles(circle, false)).toEqual([])
    expect(cycles(circle, true)).toEqual([['a.ts', 'b.ts', 'c.ts']])
  })

  it('find banned calls, but not their names in comments, strings and methods', () => {
    const text =
      "// Date.now()\nconst a = 'Date.now()'\nscheduler.setTimeout()\nlet b = Date.now()\nnew Date(1)\nnew Date()"
    expect(bannedCalls([source('broker/a.ts', text)])).toEqual([
      'broker/a.ts:4 Date.now: use clock.wallMs',
      'broker/a.ts:6 new Date(): use clock.wallMs',
    ])
    expect(bannedCalls([source('common/runtime/node/a.ts', text)])).toEqual([])
    expect(bannedCalls([source('storage/a.ts', "import { open } from 'node:fs'")])).toEqual([
      'storage/a.ts node:fs: use the FileSystem port',
    ])
  })

  it('find asynchronous code in the named folders only', () => {
    const text = 'const a = { async: true }\nasync function b() {\n  await c\n}'
    expect(asynchronousCode([source('storage/a.ts', text)])).toEqual([
      'storage/a.ts:2 async: use callbacks or Deferred',
      'storage/a.ts:3 await: use callbacks or Deferred',
    ])
    expect(asynchronousCode([source('broker/http/a.ts', text)])).toEqual([])
  })

  it('find files that nobody imports', () => {
    const sources = [
      source('broker/a.ts', "import './b.ts'"),
      source('broker/b.ts', ''),
      source('broker/c.ts', ''),
    ]
    expect(deadFiles(sources, ['broker/a.ts'])).toEqual(['broker/c.ts'])
  })
})
