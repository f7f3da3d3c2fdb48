import { describe, expect, it } from 'vitest'
import { FileError } from '../../../../../common/runtime/files.ts'
import { SeededRandom } from '../../../../../common/runtime/seeded-random.ts'
import { MemoryDisk, type MemoryDiskOptions } from '../../../../../common/runtime/sim/files.ts'
import { describeFiles } from '../files.conformance.ts'

function disk(options: Partial<MemoryDiskOptions> = {}): { files: MemoryDisk; run: () => void } {
  const posted: Array<() => void> = []
  const files = new MemoryDisk({
    post: (task) => posted.push(task),
    clock: { wallMs: () => 1000 },
    ...options,
  })
  files.makeDirectory('/data')
  return {
    files,
    run: () => {
      for (const task of posted.splice(0)) task()
    },
  }
}

for (const trackUnsynced of [false, true]) {
  describeFiles(`memory disk, ${trackUnsynced ? 'tracking' : 'not tracking'} what was not synced`, () => {
    const { files, run } = disk({ trackUnsynced })
    return { files, root: '/data', settle: async () => run() }
  })
}

function append(files: MemoryDisk, path: string, ...texts: string[]): void {
  const file = files.open(path, 'create')
  for (const text of texts) file.write([Buffer.from(text)], file.sizeBytes())
  file.close()
}
const content = (files: MemoryDisk, path: string): string => files.readFile(path).toString('latin1')

describe('a power cut', () => {
  const powerCuts = (
    prepare: (files: MemoryDisk) => void,
    look: (files: MemoryDisk) => string,
  ): Set<string> => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const { files } = disk({ trackUnsynced: true })
      files.syncDirectory('/')
      prepare(files)
      files.crash({ loseUnsynced: new SeededRandom(seed) })
      seen.add(look(files))
    }
    return seen
  }

  it('leaves what was synced and a prefix of the later writes, the last possibly torn', () => {
    const seen = powerCuts(
      (files) => {
        append(files, '/data/log', 'aaa')
        files.syncDirectory('/data')
        const file = files.open('/data/log', 'write')
        file.sync()
        file.write([Buffer.from('bbb')], 3)
        file.write([Buffer.from('ccc')], 6)
      },
      (files) => content(files, '/data/log'),
    )
    for (const text of seen) expect('aaabbbccc'.startsWith(text) && text.length >= 3).toBe(true)
    expect(seen).toContain('aaa')
    expect(seen).toContain('aaabbbccc')
    expect([...seen].some((text) => text.length % 3 !== 0)).toBe(true)
  })

  it('can lose a file whose directory was not synced although the file was', () => {
    const seen = powerCuts(
      (files) => {
        const file = files.open('/data/log', 'create')
        file.write([Buffer.from('x')], 0)
        file.sync()
      },
      (files) => files.list('/data').join(),
    )
    expect([...seen].sort()).toEqual(['', 'log'])
  })

  it('never shows a mixture of a file that was replaced durably', () => {
    const seen = powerCuts(
      (files) => {
        files.replaceFile('/data/meta', 'old')
        files.failAt(3, 'EIO')
        expect(() => files.replaceFile('/data/meta', 'newer')).toThrow(FileError)
        files.replaceFile('/data/meta', 'newest')
        files.rename('/data/meta', '/data/moved')
        files.rename('/data/moved', '/data/meta')
      },
      (files) => content(files, files.stat('/data/meta') === undefined ? '/data/moved' : '/data/meta'),
    )
    expect([...seen]).toEqual(['newest'])
  })

  it('keeps directory changes in order', () => {
    const seen = powerCuts(
      (files) => {
        for (const name of ['a', 'b', 'c']) append(files, `/data/${name}`)
        files.remove('/data/a')
      },
      (files) => files.list('/data').join(''),
    )
    expect([...seen].sort()).toEqual(['', 'a', 'ab', 'abc', 'bc'])
  })

  it('is the same for the same seed', () => {
    const run = (): string => {
      const { files } = disk({ trackUnsynced: true })
      append(files, '/data/log', ...'abcdefghij')
      files.syncDirectory('/data')
      files.syncDirectory('/')
      files.crash({ loseUnsynced: new SeededRandom('seven') })
      return content(files, '/data/log')
    }
    expect(run()).toBe(run())
  })

  it('counts the bytes that are left', () => {
    const { files } = disk({ trackUnsynced: true })
    append(files, '/data/log', 'abc')
    files.syncDirectory('/')
    files.syncDirectory('/data')
    expect(files.usedBytes).toBe(3)
    files.crash({ loseUnsynced: { int: () => 0 } as unknown as SeededRandom })
    expect(files.usedBytes).toBe(0)
  })
})

describe('a killed process', () => {
  it('loses its handles and locks and no bytes', () => {
    const { files } = disk()
    const file = files.open('/data/log', 'create')
    file.write([Buffer.from('abc')], 0)
    expect(files.lock('/data/.lock')).toBeTypeOf('function')
    files.crash()
    expect(() => file.sizeBytes()).toThrow(FileError)
    expect(content(files, '/data/log')).toBe('abc')
    expect(files.lock('/data/.lock')).toBeTypeOf('function')
  })

  it('hears nothing of a background sync that was under way', () => {
    const { files, run } = disk()
    let done = 0
    files.open('/data/log', 'create').syncInBackground(() => done++)
    files.crash()
    run()
    expect(done).toBe(0)
  })
})

describe('a failing disk', () => {
  it('fails exactly the n-th operation', () => {
    const { files } = disk()
    const file = files.open('/data/log', 'create')
    files.failAt(2, 'EIO')
    file.write([Buffer.from('a')], 0)
    expect(() => file.write([Buffer.from('b')], 1)).toThrow(
      expect.objectContaining({ code: 'EIO', path: '/data/log' }),
    )
    file.write([Buffer.from('c')], 1)
    expect(content(files, '/data/log')).toBe('ac')
  })

  it('leaves a part of a torn write', () => {
    const { files } = disk()
    const file = files.open('/data/log', 'create')
    files.failAt(1, 'EIO', { tornBytes: 4 })
    expect(() => file.write([Buffer.from('abc'), Buffer.from('def')], 0)).toThrow(FileError)
    expect(content(files, '/data/log')).toBe('abcd')
  })

  it('fails for ever until it is repaired', () => {
    const { files } = disk()
    files.failAt(1, 'EROFS', { forever: true, matching: (call) => call.operation === 'write' })
    const file = files.open('/data/log', 'create')
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(() => file.write([Buffer.from('a')], 0)).toThrow(expect.objectContaining({ code: 'EROFS' }))
    }
    files.repair()
    file.write([Buffer.from('a')], 0)
    expect(file.sizeBytes()).toBe(1)
  })

  it('tells a background sync of its failure', () => {
    const { files, run } = disk()
    const file = files.open('/data/log', 'create')
    files.failAt(1, 'EIO')
    const results: unknown[] = []
    file.syncInBackground((error) => results.push(error?.code))
    run()
    expect(results).toEqual(['EIO'])
  })

  it('is full when its capacity is used, and has room again when files are removed', () => {
    const { files } = disk({ capacityBytes: 10 })
    const file = files.open('/data/log', 'create')
    file.write([Buffer.from('12345678')], 0)
    expect(files.volume('/data')).toEqual({ totalBytes: 10, usableBytes: 2 })
    expect(() => file.write([Buffer.from('abcd')], 8)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    expect(content(files, '/data/log')).toBe('12345678ab')
    file.write([Buffer.from('over')], 0)
    file.truncate(4)
    file.write([Buffer.from('again')], 4)
    files.remove('/data/log')
    expect(files.volume('/data').usableBytes).toBe(10)
  })

  it('does not count holes, such as those of preallocated indexes, as used', () => {
    const { files } = disk({ capacityBytes: 1000 })
    const file = files.open('/data/index', 'create')
    file.truncate(10 * 1024 * 1024)
    file.write([Buffer.from('12345678')], 0)
    expect(files.usedBytes).toBe(8)
    expect(file.sizeBytes()).toBe(10 * 1024 * 1024)
  })
})

describe('a forked disk', () => {
  it('has the same files, and both change independently', () => {
    const { files } = disk()
    append(files, '/data/log', 'shared')
    const fork = files.fork()
    append(files, '/data/log', '-one')
    append(fork, '/data/log', '-2')
    const file = fork.open('/data/log', 'write')
    file.write([Buffer.from('S')], 0)
    files.remove('/data/none')
    fork.makeDirectory('/data/only')
    expect(content(files, '/data/log')).toBe('shared-one')
    expect(content(fork, '/data/log')).toBe('Shared-2')
    expect(files.list('/data')).toEqual(['log'])
    expect(fork.usedBytes).toBe(8)
  })

  it('loses in a power cut what the first would lose', () => {
    const { files } = disk({ trackUnsynced: true })
    files.syncDirectory('/')
    append(files, '/data/log', ...'abcdefgh')
    files.syncDirectory('/data')
    const fork = files.fork()
    files.crash({ loseUnsynced: new SeededRandom(5) })
    fork.crash({ loseUnsynced: new SeededRandom(5) })
    expect(content(fork, '/data/log')).toBe(content(files, '/data/log'))
  })
})

describe('memory of a memory disk', () => {
  it('keeps a large immutable buffer by reference and copies a small part of a large one', () => {
    const { files } = disk()
    const batch = Buffer.alloc(64 * 1024, 'a')
    const file = files.open('/data/log', 'create')
    file.write([batch], 0, 'immutable')
    batch.fill('b')
    const part = batch.subarray(0, 8 * 1024)
    file.write([part], batch.length, 'immutable')
    part.fill('c')
    const text = content(files, '/data/log')
    // Writing to it breaks the promise; it only shows here who holds which memory.
    expect(text.slice(0, 3)).toBe('ccc')
    expect(text.slice(batch.length, batch.length + 3)).toBe('bbb')
  })
})
