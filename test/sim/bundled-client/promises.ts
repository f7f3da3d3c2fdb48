/** What the bundled client promises, held against the logs as they are in the end. Each throws a `Violation` that carries its name. */
import { Violation } from '../cluster/violation.ts'
import type { FinalLog } from './final-logs.ts'
import type { SentMessage } from './sent-messages.ts'

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
