import { describe, expect, it } from 'vitest'
import { handlers } from '../../broker/api/index.ts'
import { unsupported } from '../../broker/api/unsupported.ts'
import { apis } from '../../common/protocol/registry.ts'
import { hasVersion, versionRange } from '../../common/protocol/versions.ts'
import { filesUnder, readSource } from './tree.ts'

const handled = new Set<string>(handlers.map(({ api }) => api.name))
const handlerFiles = filesUnder('broker/api').filter((path) => /\/\d\d-[^/]*\.ts$/.test(path))
const HEADINGS = ['Behaviour:', 'Versions:', 'Errors:', 'Deviations:']

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? '' : '-') + letter.toLowerCase())
}

describe('the list of APIs', () => {
  it('has a handler or a reason for every API, and never both', () => {
    const missing = apis.filter(({ name }) => !handled.has(name) && unsupported[name] === undefined)
    const both = apis.filter(({ name }) => handled.has(name) && unsupported[name] !== undefined)
    expect({ missing: missing.map(({ name }) => name), both: both.map(({ name }) => name) }).toEqual({
      missing: [],
      both: [],
    })
  })

  it('lists each handler once, by key', () => {
    const keys = handlers.map(({ api }) => api.key)
    expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right))
  })

  it('lists every handler that there is a file for', () => {
    const listed = handlers.map(
      ({ api }) => `broker/api/${String(api.key).padStart(2, '0')}-${kebab(api.name)}.ts`,
    )
    expect(listed.sort()).toEqual(handlerFiles)
  })

  it('serves only versions that Kafka has', () => {
    for (const { api, versions } of handlers) {
      const { lowest, highest } = versionRange(versions)
      const served = `${api.name} ${versions}`
      expect([served, hasVersion(api.versions, lowest)]).toEqual([served, true])
      expect([served, hasVersion(api.versions, highest)]).toEqual([served, true])
    }
  })

  it('opens every handler with its contract', () => {
    const incomplete = handlerFiles.flatMap((path) => {
      const comment = /^\/\*\*[\s\S]*?\*\//.exec(readSource(path).text)?.[0] ?? ''
      const positions = HEADINGS.map((heading) => comment.search(new RegExp(`\\* ${heading} \\S`)))
      const isComplete = positions.every((at, index) => at >= 0 && at > (positions[index - 1] ?? -1))
      return isComplete ? [] : [path]
    })
    expect(incomplete).toEqual([])
  })
})
