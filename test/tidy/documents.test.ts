import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../cli/program.ts'
import { ROOT } from './tree.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const manifest: {
  version: string
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
} = JSON.parse(read('package.json'))

/** What is or will be committed. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)))
const pages = files.filter((path) => path.endsWith('.md'))
const sources = files.filter((path) =>
  /\.(ts|mjs|sh|py|go|java|xml|yml|json|md)$|^\.ci\/run$|^Dockerfile$/.test(path),
)

describe('README', () => {
  it('names only commands that exist', () => {
    const scripts = [...read('README.md').matchAll(/npm (?:run )?([a-z\d]+(?::[a-z\d]+)*)/g)].map(
      ([, name]) => name ?? '',
    )
    expect(scripts).toContain('start')
    for (const name of scripts.filter((script) => script !== 'ci'))
      expect(manifest.scripts).toHaveProperty(name)
  })

  it('has every flag of kafkito start, and no other', () => {
    const silent = { out: () => undefined, error: () => undefined }
    const start = createProgram(silent).commands.find((command) => command.name() === 'start')
    const flags = start?.options.map(({ long }) => long ?? '') ?? []
    const table = read('README.md').split('## Options')[1]?.split('\n## ')[0] ?? ''
    const documented = [...table.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, flag]) => flag)
    expect(documented.sort()).toEqual(flags.sort())
  })
})

describe('documents', () => {
  it('link to what is there', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  it('number decisions without gaps and give each its three parts', () => {
    const decisions = readdirSync(join(ROOT, 'docs/adr')).sort()
    for (const [index, name] of decisions.entries()) {
      expect(name).toMatch(new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`))
      const headings = [...read(`docs/adr/${name}`).matchAll(/^#+ (.*)$/gm)].map(
        ([, heading = '']) => heading,
      )
      expect(headings[0]).toMatch(new RegExp(`^${index + 1}\\. `))
      expect(headings.slice(1)).toEqual(['Context', 'Decision', 'Consequences'])
    }
  })

  it('keep the changelog newest first, with the headings that belong there', () => {
    const headings = [...read('CHANGELOG.md').matchAll(/^(#+) (.*)$/gm)]
    const versions = headings.filter(([, marks]) => marks === '##').map(([, , text = '']) => text)
    expect(headings[0]?.[2]).toBe('Changelog')
    expect(versions[0]).toBe('Unreleased')
    const numbers = versions.slice(1).map((text) => /^(\d+)\.(\d+)\.(\d+) - \d{4}-\d{2}-\d{2}$/.exec(text))
    expect(numbers).not.toContain(null)
    const keys = numbers.map((match) =>
      match
        ?.slice(1)
        .map((part) => part.padStart(6, '0'))
        .join('.'),
    )
    expect(keys).toEqual([...keys].sort().reverse())
    const parts = headings.filter(([, marks]) => marks === '###').map(([, , text]) => text)
    for (const part of parts)
      expect(['Added', 'Changed', 'Fixed', 'Removed', 'Not there yet']).toContain(part)
  })
})

describe('the tree', () => {
  it('names no path of a machine and no host of a package registry', () => {
    // Put together from pieces, so that this file is not among its own findings.
    const machine = new RegExp(
      ['/ho' + 'me/[a-z]', '/Us' + 'ers/[A-Z]', '/wo' + 'rk/(main|shared)', '/root' + '/'].join('|'),
    )
    const registry = new RegExp(`registry\\.(npm${'js'}|yarn${'pkg'})\\.`)
    const found = sources.filter((path) => machine.test(read(path)) || registry.test(read(path)))
    expect(found).toEqual([])
  })
})

describe('package.json', () => {
  it('has exact versions, no package twice and no script that runs at installation but the build', () => {
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]
    expect(new Set(names).size).toBe(names.length)
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(version).toMatch(/^\d+(\.\d+\.\d+(-.+)?)?$/)
    }
    expect(manifest.scripts.prepare).toBe('node build.mjs')
    expect(manifest.scripts).not.toHaveProperty('postinstall')
  })

  it('depends on what the published code imports, and on nothing else', () => {
    const published = files.filter((path) =>
      /^(broker|cli|client|common|connect|storage)\/.*\.ts$/.test(path),
    )
    const named = published.flatMap((path) =>
      [
        ...read(path).matchAll(
          /(?:\bfrom |\bimport\(|\bcreateRequire\(import\.meta\.url\)\(|\brequire(?:\.resolve)?\()'([a-z@][^']*)'/g,
        ),
      ].map(([, specifier = '']) => specifier),
    )
    const packages = named
      .filter((specifier) => !specifier.startsWith('node:'))
      .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'))
    // Test runners come from whoever runs tests.
    const wanted = { ...manifest.dependencies, ...manifest.peerDependencies }
    const bundled: string[] = JSON.parse(read('packaging/bundled-packages.json'))
    expect([...new Set(packages)].sort()).toEqual([...Object.keys(wanted), ...bundled].sort())
  })

  it('is locked with an entry for every platform, so that npm ci takes the lock anywhere', () => {
    const { packages }: { packages: Record<string, { optionalDependencies?: Record<string, string> }> } =
      JSON.parse(read('package-lock.json'))
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    )
    // node .ci/complete-lock.mjs adds them.
    expect(missing).toEqual([])
  })
})
