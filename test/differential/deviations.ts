/**
 * Where kafkito knowingly answers otherwise than Apache Kafka. Every entry has a reason and must be needed: one that
 * explains nothing fails the test, so that this list never says more than is true.
 */
import { unsupported } from '../../broker/api/unsupported.ts'
import { apiByKey } from '../../common/protocol/registry.ts'
import { type Difference, differences } from './compare.ts'
import type { Json } from './normalise.ts'

export interface Deviation {
  readonly reason: string
  readonly explains: (difference: Difference, scenario: string, step: string) => boolean
}

/** `ListOffsets` of `the epoch that is [ListOffsets v7]`. */
function apiOf(step: string): string {
  return /\[(\w+) v\d+\]/.exec(step)?.[1] ?? ''
}

function isUnsupported(name: string): boolean {
  return name in unsupported
}

function withoutUnsupported(apiKeys: Json | undefined): Json[] {
  return Array.isArray(apiKeys)
    ? apiKeys.filter((one) => {
        const key = typeof one === 'object' && one !== null && !Array.isArray(one) ? one.apiKey : undefined
        return !isUnsupported(apiByKey(Number(key))?.name ?? '')
      })
    : []
}

/** These steps, whatever differs in them. */
function steps(scenario: string, titles: readonly string[]): Deviation['explains'] {
  return (_, ofScenario, step) =>
    scenario === ofScenario && titles.some((title) => step.startsWith(`${title} [`))
}

/** Two messages that say it differently; no message and an empty one are no wording. */
export function isWording({ path, kafka, ours }: Difference): boolean {
  return (
    /rrorMessage$/.test(path) &&
    typeof kafka === 'string' &&
    typeof ours === 'string' &&
    kafka !== '' &&
    ours !== ''
  )
}

const WORDS: Deviation = {
  reason: 'Messages beside error codes are for people to read and are in our own words.',
  explains: isWording,
}

/** Of the scenarios for three brokers. */
export const threeBrokerDeviations: readonly Deviation[] = [
  WORDS,
  {
    reason:
      "All of the first three brokers vote in kafkito's metadata quorum; of the recorded cluster only the first does, and the others observe.",
    explains: ({ path }, scenario) =>
      scenario === 'three-quorum' && /currentVoters|observers|leaderId|nodes$/.test(path),
  },
  {
    reason: 'The voters of the metadata quorum are fixed, so its version cannot be raised (KIP-853).',
    explains: (_, scenario, step) =>
      scenario === 'three-quorum' && step.startsWith('kraft.version to 1 by 1 ['),
  },
]

export const deviations: readonly Deviation[] = [
  {
    reason:
      'What kafkito does not support (broker/api/unsupported.ts) it does not announce, and a request for it closes the connection.',
    explains: ({ path, kafka, ours }, _, step) =>
      path === 'apiKeys'
        ? differences(withoutUnsupported(kafka), withoutUnsupported(ours)).length === 0
        : path === '' && (ours === 'closed' || ours === 'not asked') && isUnsupported(apiOf(step)),
  },
  WORDS,
  {
    reason:
      'Kafka never answers a Produce request with null records (its handler fails); kafkito refuses them with INVALID_RECORD.',
    explains: steps('produce', ['no records at all']),
  },
  {
    reason:
      'An unknown compression type is refused with UNSUPPORTED_COMPRESSION_TYPE; Kafka fails with an internal error.',
    explains: steps('produce-damaged', ['codec 5', 'codec 7']),
  },
  {
    reason:
      'The records inside a compressed batch are not read on append, so one that cannot be decompressed is found by its readers (validate.records).',
    explains: steps('produce-damaged', ['gzip that is none']),
  },
  {
    reason:
      'Where nothing asks for the records of a batch, its header is believed, so that what is wrong inside is found by its readers (decision 3).',
    explains: steps('produce-borderline', [
      'far ahead, and the header says no',
      'a base timestamp below zero',
      'a delta that repeats, unread',
      'a delta beyond the batch, unread',
      'bytes behind the records, unread',
      'fewer records than counted, unread',
      'records that are noise, unread',
      'a delta that repeats, gzip, unread',
      'noise, gzip, unread',
    ]),
  },
  {
    reason:
      'Records that are read and make no sense are refused with INVALID_RECORD or CORRUPT_MESSAGE; Kafka fails with an internal error.',
    explains: steps('produce-borderline', [
      'records that are noise',
      'a delta that repeats, gzip',
      'a delta beyond the batch, gzip',
      'noise, gzip',
      'noise, into uncompressed',
    ]),
  },
  {
    reason:
      'A Fetch with an unknown isolation level or with negative sizes is answered; Kafka fails with an internal error.',
    explains: steps('fetch', ['negative bytes', 'an unknown isolation level']),
  },
  {
    reason:
      'A Metadata request for a topic without name and id is INVALID_REQUEST; Kafka fails with an internal error.',
    explains: steps('metadata', ['neither id nor name']),
  },
  {
    reason: 'An empty salted password is stored; Kafka fails with an internal error.',
    explains: steps('scram', ['no password']),
  },
]
