/** What the documented API says in prose and tables: rules of validation, the fate of messages, quirks; each with its tests. */
import type { TestName } from './client-api-items.ts'

type Named = readonly [name: string, ...tests: TestName[]]

const v = (title: string): TestName => ['unit/client/config/validation', title]
const p = (title: string): TestName => ['unit/client/producer/produce-errors', title]
const unit = (title: string): TestName => ['unit/client/producer/producer', title]
const q = (title: string): TestName => ['unit/client/quirks', title]
const b = (title: string): TestName => ['e2e/broker-errors', title]
const l = (title: string): TestName => ['e2e/local-effects', title]
const e = (title: string): TestName => ['e2e/edge-cases', title]

export const validationRules: readonly Named[] = [
  [
    'transactional.id implies idempotence',
    v('a transactional id makes the producer idempotent, and an empty one is none'),
  ],
  [
    'idempotence and its limits',
    v('idempotence bounds requests in flight, and needs retries, acks=all and the order of a queue'),
  ],
  [
    'times within the transaction',
    v('the times of messages and requests stay within that of the transaction'),
  ],
  [
    'delivery.timeout.ms and linger.ms',
    v('a message lives longer than it lingers, and a linger that nobody asked for gives way'),
  ],
  [
    'the classic member',
    v(
      'a classic member is polled within its session, and its strategies are known, of one kind, and named once',
    ),
  ],
  [
    'the member of KIP-848',
    v('what the broker decides under KIP-848 is refused there, and its assignor means nothing elsewhere'),
  ],
  ['the share consumer', v('a share consumer takes nothing of what the share group decides')],
  ['sizes of fetches', v('a fetch has room for the largest message, and a response for the largest fetch')],
  [
    'pauses',
    v(
      'the longest pause between connections is no shorter than the first, and between retries it is then constant',
    ),
  ],
  ['security', v('certificates have their keys, mechanisms their credentials, and tokens one source')],
  ['derived defaults', v('what is left open follows from what was given')],
]

export const produceErrors: readonly Named[] = [
  ['none', e('nulls, empty bytes and headers come back as they went')],
  [
    '_TRANSPORT',
    b('is carried out while its answer gets lost may be stored, and is sent again unless retries=0'),
    p('a connection that breaks with the request out may have stored the message'),
  ],
  [
    '_TIMED_OUT',
    b('is never answered fails with _MSG_TIMED_OUT, and may be stored'),
    p('no answer at all ends as _MSG_TIMED_OUT, of a message that may be stored'),
  ],
  [
    '_TIMED_OUT_QUEUE',
    e('messages for brokers that are gone time out, and error_cb hears why'),
    p('what was never sent ends as _MSG_TIMED_OUT, of a message that is not stored'),
  ],
  ['_MSG_TIMED_OUT', e('messages for brokers that are gone time out, and error_cb hears why')],
  [
    'a leader that moved or is not known',
    b('is answered with %s is sent again, retries=0 or not'),
    p('%s asks for metadata and counts as no attempt'),
    p('UNKNOWN_TOPIC_OR_PART is final when the propagation time is over'),
    unit('a leader that moved is found through the hint in the answer (KIP-951) without waiting'),
  ],
  ...[
    'KAFKA_STORAGE_ERROR',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'REQUEST_TIMED_OUT',
    'THROTTLING_QUOTA_EXCEEDED',
    'INVALID_MSG',
  ].map(
    (name): Named => [
      name,
      b('is answered with %s is sent again, unless retries=0'),
      p('%s is tried again, as often as retries say'),
    ],
  ),
  [
    'MSG_SIZE_TOO_LARGE, RECORD_LIST_TOO_LARGE',
    ['e2e/producer', 'a batch above the limit of the topic is split, a single record above it fails'],
    p('%s fails a single message and halves a batch'),
  ],
  [
    'refusals that are final',
    b('is refused with %s fails at once, and the next one does not'),
    p('%s fails the message at once'),
  ],
  [
    'INVALID_RECORD',
    [
      'e2e/producer',
      'a record without key in a compacted topic fails with INVALID_RECORD, its neighbours with _INVALID_DIFFERENT_RECORD',
    ],
    unit(
      'records that the broker names fail with its text, the others of the batch with _INVALID_DIFFERENT_RECORD',
    ),
  ],
  [
    'DUPLICATE_SEQUENCE_NUMBER',
    b('is answered with DUPLICATE_SEQUENCE_NUMBER is stored, and nobody knows where'),
    p('DUPLICATE_SEQUENCE_NUMBER is a success whose offset is not known'),
  ],
  [
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    b('OUT_OF_ORDER_SEQUENCE_NUMBER for no reason at all has come to its end'),
    unit('a gap after purged messages is closed by a new epoch of the partition'),
    unit('a gap that nothing explains is fatal: poll throws, produce answers _FATAL'),
  ],
  [
    'UNKNOWN_PRODUCER_ID',
    b('UNKNOWN_PRODUCER_ID goes on in a new epoch'),
    p('UNKNOWN_PRODUCER_ID after retention has deleted everything goes on in a new epoch'),
    p('UNKNOWN_PRODUCER_ID of a log that still has what was acknowledged is fatal'),
  ],
  [
    'INVALID_PRODUCER_EPOCH, PRODUCER_FENCED',
    ['e2e/transactions', 'a second producer with the same id fences the first'],
    p('%s gets a new producer id, without transactions'),
  ],
  [
    'INVALID_TXN_STATE, TRANSACTION_ABORTABLE',
    ['e2e/transactions', 'a commit with a failed message asks for an abort, after which all goes on'],
  ],
  [
    'a gapless series',
    b('INVALID_RECORD comes to its end with enable.gapless.guarantee, and begins a new epoch without'),
    p('a batch that fails for good is fatal with enable.gapless.guarantee'),
  ],
]

export const quirks: readonly Named[] = [
  [
    'purge that blocks',
    l('takes many messages in one call, and gives them up by purge'),
    q('a purge that blocks has dropped everything when it resolves, one that does not gives nothing back'),
  ],
  [
    'headers of reports, and of produceBatch',
    l('takes many messages in one call, and gives them up by purge'),
    q('produceBatch takes headers and timestamps, and reports keep them'),
  ],
  [
    'underscores in names',
    ['unit/client/config/config', 'refuses an unknown property and names the nearest known one'],
  ],
  ['a timeout of position', q('position takes the timeout that it once had, and ignores it')],
  ['a listener of subscribe', ['e2e/consumer-group', 'callbacks tell what changes hands']],
  [
    'callbacks that cannot be called',
    ['unit/client/config/config', 'refuses a callback that cannot be called with a TypeError'],
  ],
  [
    'the first token',
    [
      'unit/client/connections/oauthbearer',
      'gives a handle once there is a token, and rejects when there is none',
    ],
  ],
  ['settings without value', q('a setting of a new topic without value is left out')],
  ['the default partitioner', e('keys go where murmur2, CRC-32 and FNV-1a say')],
  [
    'default.topic.config',
    ['e2e/config-properties', 'in default.topic.config overrides the same one outside of it'],
  ],
]

/** What happens where the network, an address or a position is not as it should be. */
export const robustness: readonly Named[] = [
  [
    'bootstrap with addresses that lead nowhere',
    ['e2e/robustness', 'goes on with the next address when a name does not resolve and a broker is dead'],
    [
      'e2e/robustness',
      'without any address that leads somewhere is told by error_cb, keeps messages, and can be closed',
    ],
  ],
  ['answers that end in the middle', ['e2e/robustness', 'survives answers that end after %i bytes']],
  ['a position outside of the log', ['e2e/robustness', 'leads where auto.offset.reset=%s says']],
  [
    'commits of what was given back',
    [
      'e2e/robustness',
      'commits what it was given also after it gave its partitions back, as nobody else has them',
    ],
  ],
  [
    'a close in the middle of everything',
    ['e2e/robustness', 'closes while a poll waits, a commit is on its way and messages are in its queue'],
  ],
  [
    'many groups in one call',
    ['e2e/robustness', 'asks for many groups in one call, wherever their coordinators are'],
  ],
  ['clients that nobody uses', ['e2e/additions', 'is not kept alive by clients that nobody uses']],
]
