/**
 * The `.lock` file of a log directory. Node has no flock, so the file says who holds it: process id, a token that
 * tells this process from a later one with the same id, and a word for this one taking of it. A killed process leaves the file behind and the
 * next taker sees that its holder is gone. Two takers in one process exclude each other because the file names a live process.
 *
 * Limits:
 * - Kafka holds a system lock on a file of the same name and writes nothing into it. On Linux a running Kafka is noticed
 *   through /proc/locks. Kafka itself does not notice us; and elsewhere (other systems, another container or machine
 *   on a shared volume) neither notices the other.
 * - Without /proc a process id that was given to another program counts as the holder: the lock then has to be
 *   removed by hand.
 * - Removing a dead holder's file is not atomic. Two takers cannot both win it; three, in a window of microseconds, could.
 */
import * as fs from 'node:fs'

interface Holder {
  readonly processId: number
  /** Start time of the process and identity of the boot, or empty when the system does not tell. */
  readonly startToken: string
}

let sequence = 0

/** @returns undefined when it is held, else a function that releases it */
export function takeLockFile(path: string): (() => void) | undefined {
  const own: Holder = { processId: process.pid, startToken: startTokenOf(statOf(process.pid)) ?? '' }
  const taking = `${threadToken}.${sequence++}`
  const content = `${own.processId} ${own.startToken} ${taking}\n`
  const prepared = `${path}.${process.pid}.${taking}`
  // Linked into place with its content, so that nobody ever sees it half written.
  fs.writeFileSync(prepared, content, { flag: 'wx' })
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        putInPlace(prepared, path, content)
        return releaser(path, content)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      if (isHeldBySystemLock(path)) return undefined
      const found = readIfPresent(path)
      if (found === undefined) continue
      const holder = parseHolder(found)
      if (holder !== undefined && isAlive(holder)) return undefined
      if (!removeDead(path, found, `${prepared}.dead`)) return undefined
    }
    return undefined
  } finally {
    fs.rmSync(prepared, { force: true })
  }
}

/** Threads have module instances of their own; names they prepare must differ. */
const threadToken = Math.floor(performance.timeOrigin + performance.now() * 1000).toString(36)

function putInPlace(prepared: string, path: string, content: string): void {
  try {
    fs.linkSync(prepared, path)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    // Some volumes (FAT, some shares of containers) have no links: there the file is visible before its content.
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(code)) throw error
    fs.writeFileSync(path, content, { flag: 'wx' })
  }
}

function releaser(path: string, content: string): () => void {
  let isHeld = true
  return () => {
    if (!isHeld) return
    isHeld = false
    // The directory may have been deleted, and made and locked again, under us.
    if (readIfPresent(path) === content) fs.rmSync(path, { force: true })
  }
}

/** Moves the file of a dead holder away. @returns false when somebody else was quicker and holds it now */
function removeDead(path: string, expected: string, aside: string): boolean {
  try {
    fs.renameSync(path, aside)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
  try {
    if (readIfPresent(aside) === expected) return true
    // Between our look and our move another taker put its own there: give it back.
    fs.linkSync(aside, path)
    return false
  } catch {
    return false
  } finally {
    fs.rmSync(aside, { force: true })
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parseHolder(content: string): Holder | undefined {
  const match = /^(\d{1,10}) (\S*) \S+\n$/.exec(content)
  return match === null ? undefined : { processId: Number(match[1]), startToken: match[2] ?? '' }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.processId, 0)
  } catch (error) {
    // Anything but "no such process" (a process of another user) means that there is one.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  // A killed process keeps its id until its parent asks how it ended, which some parents never do.
  const stat = statOf(holder.processId)
  if (['Z', 'X'].includes(stat?.[0] ?? '')) return false
  const token = startTokenOf(stat)
  return token === undefined || holder.startToken === '' || token === holder.startToken
}

/** Field 22 of /proc/PID/stat (clock ticks since boot at which the process started) and the boot's id. */
function startTokenOf(stat: readonly string[] | undefined): string | undefined {
  const started = stat?.[19]
  if (started === undefined) return undefined
  try {
    return `${started}@${fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`
  } catch {
    return undefined
  }
}

/** The fields of /proc/PID/stat from the third on, which is the state. */
function statOf(processId: number): readonly string[] | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${processId}/stat`, 'latin1')
    // The command in field 2 may hold blanks and brackets: count behind its last one.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** Whether any process holds a system lock on the file, as Kafka does. Lines of /proc/locks name device and inode. */
function isHeldBySystemLock(path: string): boolean {
  let locks: string
  let file: fs.Stats | undefined
  try {
    file = fs.statSync(path, { throwIfNoEntry: false })
    locks = fs.readFileSync('/proc/locks', 'latin1')
  } catch {
    return false
  }
  if (file === undefined) return false
  const device = file.dev
  const major = ((device >>> 8) & 0xfff).toString(16).padStart(2, '0')
  const minor = ((device & 0xff) | ((device >>> 12) & 0xfff00)).toString(16).padStart(2, '0')
  return locks.includes(` ${major}:${minor}:${file.ino} `)
}
