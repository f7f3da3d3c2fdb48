/**
 * What every `FileSystem` does. Run on the real disk and on the memory disk, so that what storage tests prove on one holds
 * on the other.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FileError, type FileErrorCode, type FileSystem } from '../../../../common/runtime/files.ts'

export interface FilesUnderTest {
  readonly files: FileSystem
  /** An existing empty directory. */
  readonly root: string
  /** Lets background work finish and runs what it posted. */
  settle(): Promise<void>
}

export function describeFiles(name: string, start: () => FilesUnderTest): void {
  describe(`every file system does the same (${name})`, () => {
    const code = (operation: () => unknown): FileErrorCode | 'no error' => {
      try {
        operation()
        return 'no error'
      } catch (error) {
        if (error instanceof FileError) return error.code
        throw error
      }
    }
    const contentOf = (files: FileSystem, path: string): string => files.readFile(path).toString('latin1')

    it('writes buffers one behind the other and reads them back from any position', () => {
      const { files, root } = start()
      const file = files.open(`${root}/a`, 'create')
      file.write([Buffer.from('hello '), Buffer.alloc(0), Buffer.from('world')], 0)
      const target = Buffer.alloc(10, '.')
      expect(file.read(target, 2, 5, 6)).toBe(5)
      expect(target.toString()).toBe('..world...')
      expect(file.read(target, 0, 10, 8)).toBe(3)
      expect(file.read(target, 0, 10, 11)).toBe(0)
      expect(file.read(target, 0, 10, 99)).toBe(0)
      expect(file.sizeBytes()).toBe(11)
      file.close()
    })

    it('writes more buffers than the system takes in one call', () => {
      const { files, root } = start()
      const buffers = Array.from({ length: 2500 }, (_, index) => Buffer.from(`${index},`))
      const file = files.open(`${root}/many`, 'create')
      file.write(buffers, 3)
      file.close()
      expect(contentOf(files, `${root}/many`)).toBe(`\0\0\0${Buffer.concat(buffers).toString()}`)
    })

    it('fills the gap before a write behind the end with zeros', () => {
      const { files, root } = start()
      const file = files.open(`${root}/gap`, 'create')
      file.write([Buffer.from('a')], 0)
      file.write([Buffer.from('b')], 5)
      file.close()
      expect(contentOf(files, `${root}/gap`)).toBe('a\0\0\0\0b')
    })

    it('shows zeros and not old bytes when a file is cut and made longer again', () => {
      const { files, root } = start()
      const file = files.open(`${root}/cut`, 'create')
      file.write([Buffer.from('abcdef')], 0)
      file.truncate(2)
      file.truncate(4)
      file.close()
      expect(contentOf(files, `${root}/cut`)).toBe('ab\0\0')
    })

    it('keeps its own bytes when the caller changes a borrowed buffer afterwards', () => {
      const { files, root } = start()
      const buffer = Buffer.alloc(20_000, 'x')
      const file = files.open(`${root}/borrowed`, 'create')
      file.write([buffer], 0)
      buffer.fill('y')
      file.close()
      expect(contentOf(files, `${root}/borrowed`)).toBe('x'.repeat(20_000))
    })

    it('holds the same bytes as a plain array after any sequence of writes and cuts', () => {
      const { files, root } = start()
      const write = fc.record({
        position: fc.nat(40_000),
        sizes: fc.array(fc.nat(9_000), { maxLength: 4 }),
        isImmutable: fc.boolean(),
      })
      const step = fc.oneof({ weight: 4, arbitrary: write }, fc.record({ truncateTo: fc.nat(50_000) }))
      let run = 0
      fc.assert(
        fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
          const path = `${root}/model-${run++}`
          const file = files.open(path, 'create')
          let model = Buffer.alloc(0)
          let fill = 1
          for (const action of steps) {
            if ('truncateTo' in action) {
              file.truncate(action.truncateTo)
              const next = Buffer.alloc(action.truncateTo)
              model.copy(next)
              model = next
            } else {
              const buffers = action.sizes.map((size) => Buffer.alloc(size, fill++))
              const bytes = Buffer.concat(buffers)
              file.write(buffers, action.position, action.isImmutable ? 'immutable' : 'borrowed')
              const size =
                bytes.length === 0 ? model.length : Math.max(model.length, action.position + bytes.length)
              const next = Buffer.alloc(size)
              model.copy(next)
              bytes.copy(next, action.position)
              model = next
            }
          }
          expect(file.sizeBytes()).toBe(model.length)
          file.close()
          expect(files.readFile(path).equals(model)).toBe(true)
          files.remove(path)
        }),
        { numRuns: 150 },
      )
    })

    it('opens for reading only what exists and for writing only what exists, and creates on demand', () => {
      const { files, root } = start()
      expect(code(() => files.open(`${root}/none`, 'read'))).toBe('ENOENT')
      expect(code(() => files.open(`${root}/none`, 'write'))).toBe('ENOENT')
      expect(code(() => files.open(`${root}/none/file`, 'create'))).toBe('ENOENT')
      expect(code(() => files.open(root, 'read'))).toBe('EISDIR')
      expect(code(() => files.open(root, 'create'))).toBe('EISDIR')
      files.open(`${root}/made`, 'create').close()
      expect(code(() => files.open(`${root}/made/below`, 'create'))).toBe('ENOTDIR')
      files.open(`${root}/made`, 'write').close()
    })

    it('does not empty a file that is opened again', () => {
      const { files, root } = start()
      files.replaceFile(`${root}/kept`, 'content')
      files.open(`${root}/kept`, 'create').close()
      expect(contentOf(files, `${root}/kept`)).toBe('content')
    })

    it('refuses to write through a handle that reads', () => {
      const { files, root } = start()
      files.replaceFile(`${root}/a`, 'content')
      const file = files.open(`${root}/a`, 'read')
      expect(code(() => file.write([Buffer.from('x')], 0))).toBe('EUNKNOWN')
      expect(code(() => file.truncate(0))).toBe('EUNKNOWN')
      file.close()
    })

    it('throws a plain error, because it is a bug, when a closed handle is used', () => {
      const { files, root } = start()
      const file = files.open(`${root}/a`, 'create')
      file.close()
      file.close()
      expect(() => file.sizeBytes()).toThrow(/closed/)
      expect(() => file.write([Buffer.from('x')], 0)).toThrow(/closed/)
    })

    it('replaces a file wholly and leaves no temporary one', () => {
      const { files, root } = start()
      files.replaceFile(`${root}/meta`, 'a long first content')
      files.replaceFile(`${root}/meta`, Buffer.from('second'))
      files.replaceFile(`${root}/meta`, 'third', { durable: false })
      expect(contentOf(files, `${root}/meta`)).toBe('third')
      expect(files.list(root)).toEqual(['meta'])
      expect(code(() => files.replaceFile(`${root}/none/meta`, 'x'))).toBe('ENOENT')
    })

    it('tells size and kind, and nothing of what is not there', () => {
      const { files, root } = start()
      files.replaceFile(`${root}/a`, 'four')
      expect(files.stat(`${root}/a`)).toMatchObject({ sizeBytes: 4, isDirectory: false })
      expect(files.stat(root)).toMatchObject({ isDirectory: true })
      expect(files.stat(`${root}/none`)).toBeUndefined()
      expect(files.stat(`${root}/none/deeper`)).toBeUndefined()
      expect(files.stat(`${root}/a/below`)).toBeUndefined()
    })

    it('lists a directory in order', () => {
      const { files, root } = start()
      for (const name of ['b', 'a', '10', '9']) files.replaceFile(`${root}/${name}`, '', { durable: false })
      files.makeDirectory(`${root}/c/d`)
      expect(files.list(root)).toEqual(['10', '9', 'a', 'b', 'c'])
      expect(files.list(`${root}/c`)).toEqual(['d'])
      expect(code(() => files.list(`${root}/none`))).toBe('ENOENT')
      expect(code(() => files.list(`${root}/a`))).toBe('ENOTDIR')
    })

    it('makes directories with their parents and does not mind existing ones', () => {
      const { files, root } = start()
      files.makeDirectory(`${root}/x/y/z`)
      files.makeDirectory(`${root}/x/y`)
      files.replaceFile(`${root}/file`, '')
      expect(code(() => files.makeDirectory(`${root}/file`))).toBe('EEXIST')
      expect(code(() => files.makeDirectory(`${root}/file/below`))).toBe('ENOTDIR')
    })

    it('renames files over files and directories with all that is in them', () => {
      const { files, root } = start()
      files.makeDirectory(`${root}/topic-0`)
      files.replaceFile(`${root}/topic-0/log`, 'records')
      files.rename(`${root}/topic-0`, `${root}/topic-0.delete`)
      expect(contentOf(files, `${root}/topic-0.delete/log`)).toBe('records')
      files.replaceFile(`${root}/new`, 'new')
      files.rename(`${root}/new`, `${root}/topic-0.delete/log`)
      expect(contentOf(files, `${root}/topic-0.delete/log`)).toBe('new')
      expect(files.list(root)).toEqual(['topic-0.delete'])
    })

    it('refuses renames that would lose or mix something', () => {
      const { files, root } = start()
      files.makeDirectory(`${root}/full/inner`)
      files.makeDirectory(`${root}/other`)
      files.replaceFile(`${root}/file`, '')
      expect(code(() => files.rename(`${root}/none`, `${root}/x`))).toBe('ENOENT')
      expect(code(() => files.rename(`${root}/file`, `${root}/none/x`))).toBe('ENOENT')
      expect(code(() => files.rename(`${root}/other`, `${root}/full`))).toBe('ENOTEMPTY')
      expect(code(() => files.rename(`${root}/file`, `${root}/other`))).toBe('EISDIR')
      expect(code(() => files.rename(`${root}/other`, `${root}/file`))).toBe('ENOTDIR')
      expect(code(() => files.rename(`${root}/full`, `${root}/full/inner/x`))).toBe('EUNKNOWN')
      files.rename(`${root}/file`, `${root}/file`)
      files.rename(`${root}/full`, `${root}/other`)
      expect(files.list(root)).toEqual(['file', 'other'])
    })

    it('removes files and trees, and does not mind when they are gone', () => {
      const { files, root } = start()
      files.makeDirectory(`${root}/tree/inner`)
      files.replaceFile(`${root}/tree/inner/a`, 'a')
      files.replaceFile(`${root}/b`, 'b')
      expect(code(() => files.remove(`${root}/tree`))).toBe('EISDIR')
      expect(code(() => files.removeDirectory(`${root}/b`))).toBe('ENOTDIR')
      files.remove(`${root}/b`)
      files.remove(`${root}/b`)
      files.remove(`${root}/none/b`)
      files.removeDirectory(`${root}/tree`)
      files.removeDirectory(`${root}/tree`)
      expect(files.list(root)).toEqual([])
    })

    it('lets open handles read a file that was removed or renamed', () => {
      const { files, root } = start()
      files.replaceFile(`${root}/a`, 'content')
      const file = files.open(`${root}/a`, 'read')
      files.rename(`${root}/a`, `${root}/b`)
      files.remove(`${root}/b`)
      const target = Buffer.alloc(7)
      expect(file.read(target, 0, 7, 0)).toBe(7)
      expect(target.toString()).toBe('content')
      file.close()
    })

    it('syncs files and directories', () => {
      const { files, root } = start()
      const file = files.open(`${root}/a`, 'create')
      file.write([Buffer.from('x')], 0)
      file.sync()
      file.close()
      files.syncDirectory(root)
      expect(code(() => files.syncDirectory(`${root}/none`))).toBe('ENOENT')
    })

    it('tells the end of a background sync in a later turn, even when the file was closed meanwhile', async () => {
      const { files, root, settle } = start()
      const file = files.open(`${root}/a`, 'create')
      file.write([Buffer.from('x')], 0)
      const results: unknown[] = []
      file.syncInBackground((error) => results.push(error))
      file.close()
      files.open(`${root}/b`, 'create').close()
      expect(results).toEqual([])
      await settle()
      expect(results).toEqual([undefined])
    })

    it('tells how large the volume is', () => {
      const { files, root } = start()
      const { totalBytes, usableBytes } = files.volume(root)
      expect(totalBytes).toBeGreaterThan(0)
      expect(usableBytes).toBeGreaterThan(0)
      expect(usableBytes).toBeLessThanOrEqual(totalBytes)
      expect(code(() => files.volume(`${root}/none`))).toBe('ENOENT')
    })

    it('gives a log directory to one broker at a time', () => {
      const { files, root } = start()
      const release = files.lock(`${root}/.lock`)
      expect(release).toBeTypeOf('function')
      expect(files.lock(`${root}/.lock`)).toBeUndefined()
      expect(files.stat(`${root}/.lock`)).toBeDefined()
      release?.()
      release?.()
      const again = files.lock(`${root}/.lock`)
      expect(again).toBeTypeOf('function')
      // A release that comes twice does not free the lock of the next holder.
      release?.()
      expect(files.lock(`${root}/.lock`)).toBeUndefined()
      again?.()
      expect(code(() => files.lock(`${root}/none/.lock`))).toBe('ENOENT')
    })

    it('takes the lock file that a cleanly stopped Kafka left behind', () => {
      const { files, root } = start()
      files.replaceFile(`${root}/.lock`, '')
      const release = files.lock(`${root}/.lock`)
      expect(release).toBeTypeOf('function')
      release?.()
    })
  })
}
