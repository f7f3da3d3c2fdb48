/**
 * Members in another language: one program holds all its members. It reads
 *
 *     join LIFE GROUP TOPIC MODE     leave LIFE
 *
 * and prints, a line an event,
 *
 *     assigned LIFE PARTITION...     given, in addition to what it had
 *     revoked LIFE PARTITION...      about to be taken
 *     got LIFE PARTITION OFFSET VALUE
 *     problem LIFE TEXT              must not happen
 *     left LIFE                      closed in order
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { within } from '../lib/cases.ts'
import { folder, javaClasspath, pythonEnvironment } from '../lib/families.ts'
import type { MemberEvents } from './group-observer.ts'
import type { Member, MemberFactory, Place } from './member.ts'

const LEAVE_DEADLINE_MS = 60_000

class ForeignProgram {
  readonly #child: ChildProcess
  readonly #members = new Map<string, { readonly events: MemberEvents; readonly onLeft: () => void }>()

  constructor(command: string, args: readonly string[]) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    process.on('exit', () => child.kill('SIGKILL'))
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line))
    child.stdin.on('error', () => {})
    child.on('close', (code) => {
      for (const { events } of this.#members.values()) events.problem(`its program ended with ${code}`)
    })
  }

  join({ life, group, topic, mode }: Place, events: MemberEvents): Member {
    const left = new Promise<void>((resolve) => this.#members.set(life, { events, onLeft: resolve }))
    this.#tell(`join ${life} ${group} ${topic} ${mode}`)
    return {
      leave: async () => {
        this.#tell(`leave ${life}`)
        await within(left, `leave of ${life}`, LEAVE_DEADLINE_MS)
      },
    }
  }

  #tell(command: string): void {
    this.#child.stdin?.write(`${command}\n`)
  }

  #hear(line: string): void {
    const [what, life = '', ...rest] = line.split(' ')
    const member = this.#members.get(life)
    if (what === 'assigned') member?.events.assigned(rest.map(Number))
    else if (what === 'revoked') member?.events.revoked(rest.map(Number))
    else if (what === 'got') member?.events.got(rest[2] ?? '')
    else if (what === 'problem') member?.events.problem(rest.join(' '))
    else if (what === 'left') {
      this.#members.delete(life)
      member?.onLeft()
    } else console.error(line)
  }
}

/** Starts the program when its first member joins. */
function foreign(bootstrap: string, start: () => Promise<[string, string[]]>): MemberFactory {
  let program: Promise<ForeignProgram> | undefined
  return async (place, events) => {
    program ??= start().then(([command, args]) => new ForeignProgram(command, [...args, bootstrap]))
    return (await program).join(place, events)
  }
}

export const javaMembers = (bootstrap: string): MemberFactory =>
  foreign(bootstrap, async () => {
    const classpath = await javaClasspath('4.4.0')
    return ['java', ['-Xshare:auto', '-Xmx256m', '-cp', classpath, 'kafkito.interop.mixed.Members']]
  })

export const librdkafkaMembers = (bootstrap: string): MemberFactory =>
  foreign(bootstrap, async () => {
    const python = join(await pythonEnvironment(), 'bin/python')
    return [python, ['-u', join(folder, 'mixed-groups/members.py')]]
  })
