/** What the bundled client promises, held against the logs as they are in the end. Each throws a `Violation` that carries its name. */
import { Violation } from '../cluster/violation.ts'
import type { FinalLog } from './final-logs.ts'
import type { GroupReadings, Tenure } from './readings.ts'
import type { SentMessage } from './sent-messages.ts'
import type { ShareReadings } from './share-readings.ts'

export type FinalLogs = ReadonlyMap<string, FinalLog>

function check(condition: boolean, invariant: string, message: () => string): void {
  if (!condition) throw new Violation(invariant, message())
}

/** 1. What was delivered with acks=all is where its report says. */
export function deliveredIsThere(logs: FinalLogs, sent: Iterable<SentMessage>): void {
  for (const message of sent) {
    if (message.fate !== 'delivered' || message.acks !== -1) continue
    const { value, topic, partition, offset } = message
    const log = logs.get(`${topic}-${partition}`)
    // An answer to a repeated batch whose place the broker has forgotten tells no offset.
    const isThere =
      offset === null
        ? log?.records.some((record) => record.value === value)
        : log?.byOffset.get(offset)?.value === value
    check(
      isThere === true,
      'what was delivered is in the log',
      () =>
        `${value} was reported at ${offset} of ${topic}-${partition}; there is ${log?.byOffset.get(offset ?? -1)?.value}`,
    )
  }
}

/** 2. What failed for certain is nowhere. */
export function failedIsNowhere(logs: FinalLogs, sent: ReadonlyMap<string, SentMessage>): void {
  for (const [place, { records }] of logs) {
    for (const { offset, value } of records) {
      const message = sent.get(value)
      check(
        message?.fate !== 'failed' || message.isPossiblyPersisted,
        'what failed for certain is not in the log',
        () => `${value} failed with ${message?.error}, and is at ${offset} of ${place}`,
      )
    }
  }
}

/** 3. An idempotent producer's messages are there once, and in the order of their calls in each partition. */
export function idempotenceHolds(logs: FinalLogs, sent: ReadonlyMap<string, SentMessage>): void {
  const seen = new Map<string, string>()
  for (const [place, { records }] of logs) {
    const last = new Map<string, SentMessage>()
    for (const { offset, value } of records) {
      const message = sent.get(value)
      if (message === undefined || !message.isIdempotent) continue
      const other = seen.get(value)
      check(
        other === undefined,
        'an idempotent producer writes a message once',
        () => `${value} is at ${other} and at ${offset} of ${place}`,
      )
      seen.set(value, `${offset} of ${place}`)
      const before = last.get(message.producer)
      check(
        before === undefined || before.number < message.number,
        'an idempotent producer keeps the order',
        () => `${value} (${message.fate}) at ${offset} of ${place} comes after ${before?.value}`,
      )
      last.set(message.producer, message)
    }
  }
}

/** 4. What a member gets is what is in the log, and in one tenure it is all of it. */
export function readingsAreTrue(logs: FinalLogs, readings: GroupReadings): void {
  const { groupId, values, steps } = readings
  for (const { place, offset, value } of values) {
    const found = logs.get(place)?.byOffset.get(offset)
    check(
      found?.value === value && !found.isAborted,
      'members get what is in the log',
      () => `${groupId} got ${value} at ${offset} of ${place}; there is ${found?.value}`,
    )
  }
  for (const { place, member, from, to } of steps) {
    const skipped = logs.get(place)?.visible.find(({ offset }) => offset > from && offset < to)
    check(
      skipped === undefined,
      'members skip nothing',
      () => `${member} got ${from} and then ${to} of ${place}, without ${skipped?.offset} ${skipped?.value}`,
    )
  }
}

/** 5. Who commits what was handled handles everything at least once. */
export function committedIsHandled(
  logs: FinalLogs,
  readings: GroupReadings,
  committed: ReadonlyMap<string, number>,
): void {
  const { groupId, commitsFirst, handled } = readings
  for (const [place, told] of readings.committed) {
    const offset = committed.get(place) ?? -1
    check(
      offset >= told,
      'committed offsets never go back',
      () => `${groupId} was told that ${told} of ${place} is committed, and now that is ${offset}`,
    )
  }
  if (commitsFirst) return
  for (const [place, { visible }] of logs) {
    const end = committed.get(place) ?? -1
    const left = visible.find(({ offset }) => offset < end && !handled.has(`${place}@${offset}`))
    check(
      left === undefined,
      'what is committed was handled',
      () => `${groupId} committed ${end} of ${place}, and never handled ${left?.offset} ${left?.value}`,
    )
  }
}

/** 6. Everything that was read was transformed and is seen once. */
export function transformedOnce(inputs: FinalLogs, outputs: FinalLogs): void {
  const found = new Map<string, string>()
  for (const { visible } of outputs.values()) {
    for (const { value } of visible) {
      const [input = ''] = value.split('#')
      const other = found.get(input)
      check(other === undefined, 'everything is transformed once', () => `${other} and ${value} are there`)
      found.set(input, value)
    }
  }
  for (const [place, { visible }] of inputs)
    for (const { offset } of visible)
      check(
        found.has(`${place}@${offset}`),
        'everything is transformed once',
        () => `offset ${offset} of ${place} was not`,
      )
}

/** 7. What a share group has done with was given to somebody who said so, and was what is in the log. */
export function sharedAtLeastOnce(logs: FinalLogs, shared: ShareReadings): void {
  const { groupId, values, settled } = shared
  for (const { place, offset, value } of values) {
    const found = logs.get(place)?.byOffset.get(offset)
    check(
      found?.value === value,
      'members get what is in the log',
      () => `${groupId} got ${value} at ${offset} of ${place}; there is ${found?.value}`,
    )
  }
  for (const [place, { records }] of logs) {
    const left = records.find(({ offset }) => !settled.has(`${place}@${offset}`))
    check(
      left === undefined,
      'a share group settles everything',
      () =>
        `${groupId} is done with ${place}, and nobody has accepted or rejected ${left?.offset} ${left?.value}`,
    )
  }
}

/** 8. Who comes back in time has what it had; nobody else has lost anything. */
export function staticMembersKeepTheirs(
  before: readonly Tenure[],
  after: readonly Tenure[],
  member: string,
  next: string,
): void {
  const placesOf = (name: string, tenures: readonly Tenure[]): string[] =>
    tenures
      .filter(({ process }) => process.name === name)
      .map(({ place }) => place)
      .sort()
  const had = placesOf(member, before)
  const has = placesOf(next, after)
  check(
    had.join() === has.join(),
    'a static member keeps its partitions',
    () => `${member} had ${had}, and ${next} has ${has}`,
  )
  for (const tenure of before)
    check(
      tenure.process.name === member || after.includes(tenure),
      'a static member keeps its partitions',
      () => `${tenure.process.name} lost ${tenure.place} when ${member} came back as ${next}`,
    )
}
