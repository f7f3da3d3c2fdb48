/**
 * What a client saw, a line an event. Within one process the lines are in the order in which things happened; a group lives in one process.
 *
 *     ack TOPIC PARTITION NUMBER OFFSET      a record was acknowledged; offset -1: not told
 *     failed TOPIC PARTITION NUMBER ERROR    it was given up; it may be there or not
 *     renewed TOPIC PARTITION NUMBER         the producer went on with a new id from this number
 *     assigned GROUP LIFE TOPIC PARTITION    a member (in one of its lives) got a partition and resumes where the group says
 *     got GROUP LIFE TOPIC PARTITION OFFSET VALUE
 *     trying GROUP TOPIC PARTITION OFFSET    a commit of offsets leaves
 *     committed GROUP TOPIC PARTITION OFFSET it was acknowledged
 *     begin ID COUNT, commit ID, abort ID, unknown ID    a transaction of so many records, and what its producer knows of its end
 *     record TOPIC PARTITION OFFSET VALUE    what lies in the log at the end, as read_committed sees it
 *     done ROLE, note TEXT                   not judged
 */
export interface Place {
  readonly topic: string
  readonly partition: number
}

export type ChaosEvent =
  | (Place & { readonly kind: 'ack'; readonly number: number; readonly offset: number })
  | (Place & { readonly kind: 'failed'; readonly number: number; readonly error: string })
  | (Place & { readonly kind: 'renewed'; readonly number: number })
  | (Place & { readonly kind: 'assigned'; readonly group: string; readonly life: string })
  | (Place & {
      readonly kind: 'got'
      readonly group: string
      readonly life: string
      readonly offset: number
      readonly value: string
    })
  | (Place & { readonly kind: 'trying'; readonly group: string; readonly offset: number })
  | (Place & { readonly kind: 'committed'; readonly group: string; readonly offset: number })
  | { readonly kind: 'begin'; readonly id: number; readonly count: number }
  | { readonly kind: 'commit' | 'abort' | 'unknown'; readonly id: number }
  | (Place & { readonly kind: 'record'; readonly offset: number; readonly value: string })
  | { readonly kind: 'done' | 'note'; readonly text: string }

/** @returns undefined for a line that is no event */
export function parseEvent(line: string): ChaosEvent | undefined {
  const words = line.split(' ')
  const [kind = '', ...rest] = words
  const text = (index: number): string => rest[index] ?? ''
  const place = (index: number): Place => ({ topic: text(index), partition: Number(rest[index + 1]) })
  switch (kind) {
    case 'ack':
      return { kind, ...place(0), number: Number(rest[2]), offset: Number(rest[3]) }
    case 'failed':
      return { kind, ...place(0), number: Number(rest[2]), error: text(3) }
    case 'renewed':
      return { kind, ...place(0), number: Number(rest[2]) }
    case 'assigned':
      return { kind, group: text(0), life: text(1), ...place(2) }
    case 'got':
      return { kind, group: text(0), life: text(1), ...place(2), offset: Number(rest[4]), value: text(5) }
    case 'trying':
    case 'committed':
      return { kind, group: text(0), ...place(1), offset: Number(rest[3]) }
    case 'begin':
      return { kind, id: Number(rest[0]), count: Number(rest[1]) }
    case 'commit':
    case 'abort':
    case 'unknown':
      return { kind, id: Number(rest[0]) }
    case 'record':
      return { kind, ...place(0), offset: Number(rest[2]), value: text(3) }
    case 'done':
    case 'note':
      return { kind, text: rest.join(' ') }
    default:
      return undefined
  }
}
