import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createNodeFiles } from '../../../../../common/runtime/node/files.ts'
import { describeFiles, type FilesUnderTest } from '../files.conformance.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true })
})

function start(): FilesUnderTest {
  const root = mkdtempSync(join(tmpdir(), 'kafkito-files-'))
  roots.push(root)
  const posted: Array<() => void> = []
  const files = createNodeFiles({ post: (task) => posted.push(task) })
  return {
    files,
    root,
    settle: async () => {
      while (posted.length === 0) await setImmediate()
      for (const task of posted.splice(0)) task()
    },
  }
}

describeFiles('real disk', start)

describe('the lock file of a real log directory', () => {
  it('is free again when its holder was killed', () => {
    const { files, root } = start()
    const dead = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'])
    writeFileSync(`${root}/.lock`, `${dead.stdout.toString().trim()}  x\n`)
    const release = files.lock(`${root}/.lock`)
    expect(release).toBeTypeOf('function')
    expect(readdirSync(root)).toEqual(['.lock'])
    release?.()
    expect(readdirSync(root)).toEqual([])
  })

  it.skipIf(process.platform !== 'linux')(
    'is free when a later process has the id of its dead holder',
    () => {
      const { files, root } = start()
      writeFileSync(`${root}/.lock`, `${process.pid} 1@an-earlier-boot x\n`)
      expect(files.lock(`${root}/.lock`)).toBeTypeOf('function')
    },
  )

  it.skipIf(process.platform !== 'linux')(
    'is free again when its holder was killed and nobody asked how it ended',
    async () => {
      const { files, root } = start()
      const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      try {
        const [said] = await once(parent.stdout, 'data')
        const holder = Number(said.toString())
        // A shell asks how its children ended; what it became does not.
        while (!readFileSync(`/proc/${parent.pid}/stat`, 'latin1').includes('(sleep)')) await setImmediate()
        process.kill(holder, 'SIGKILL')
        while (!readFileSync(`/proc/${holder}/stat`, 'latin1').includes(') Z ')) await setImmediate()
        writeFileSync(`${root}/.lock`, `${holder}  x\n`)
        expect(files.lock(`${root}/.lock`)).toBeTypeOf('function')
      } finally {
        parent.kill()
      }
    },
  )

  it('stays with another process that lives', () => {
    const { files, root } = start()
    writeFileSync(`${root}/.lock`, `${process.ppid}  x\n`)
    expect(files.lock(`${root}/.lock`)).toBeUndefined()
    expect(readFileSync(`${root}/.lock`, 'latin1')).toBe(`${process.ppid}  x\n`)
    expect(readdirSync(root)).toEqual(['.lock'])
  })

  it('is not removed by a holder whose directory was deleted and taken anew', () => {
    const { files, root } = start()
    const first = files.lock(`${root}/.lock`)
    rmSync(`${root}/.lock`)
    const second = files.lock(`${root}/.lock`)
    first?.()
    expect(files.lock(`${root}/.lock`)).toBeUndefined()
    second?.()
  })
})
