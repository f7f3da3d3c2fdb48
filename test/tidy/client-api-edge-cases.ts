/** The edge cases of the documented API, in order, each with its tests. */
import type { TestName } from './client-api-items.ts'

const e = (title: string): TestName => ['e2e/edge-cases', title]
const p = (title: string): TestName => ['e2e/producer', title]
const unit = (title: string): TestName => ['unit/client/producer/producer', title]
const t = (title: string): TestName => ['e2e/transactions', title]
const a = (title: string): TestName => ['e2e/consumer-assign', title]
const g = (title: string): TestName => ['e2e/consumer-group', title]

export const edgeCases: readonly (readonly [name: string, ...tests: TestName[]])[] = [
  ['neither value nor key', e('nulls, empty bytes and headers come back as they went')],
  ['empty key and value stay empty', e('nulls, empty bytes and headers come back as they went')],
  ['headers keep order, duplicates and nulls', e('nulls, empty bytes and headers come back as they went')],
  ['a full local queue', e('a queue of 100,000 is full until reports were served')],
  [
    'a message above message.max.bytes',
    e('a message that is too large is refused at once, one of a batch marked'),
  ],
  [
    'a partition that does not exist',
    e('a partition that does not exist fails at once, or in the report before metadata came'),
  ],
  [
    'a topic that does not exist',
    e('a message for a topic that does not exist fails after the propagation time, unless the topic appears'),
  ],
  [
    'flush(0), and flush with a long linger',
    e(
      'flush(0) counts what is outstanding, flush() waits for no linger nor leaves out what callbacks produce',
    ),
  ],
  [
    'a callback that produces during flush',
    e(
      'flush(0) counts what is outstanding, flush() waits for no linger nor leaves out what callbacks produce',
    ),
  ],
  [
    'a callback that throws',
    e('a callback that throws ends the poll with what it threw, and the next poll goes on'),
  ],
  ['purge', e('purge reports every waiting message, and nothing is left')],
  ['brokers that are gone', e('messages for brokers that are gone time out, and error_cb hears why')],
  ['acks=0 and acks=1', p('acks=%i delivers')],
  ['timestamps', e('timestamps are those of the message, or of the broker where the topic says so')],
  [
    'delivery.report.only.error',
    e('successes stay silent with delivery.report.only.error, and free their places'),
  ],
  [
    'produceBatch with a message that is too large',
    e('a message that is too large is refused at once, one of a batch marked'),
  ],
  ['a closed producer', e('a closed producer refuses messages, counts none and closes again')],
  [
    'an idempotent producer that loses connections',
    [
      'e2e/broker-errors',
      'is carried out while its answer gets lost may be stored, and is sent again unless retries=0',
    ],
    unit('lost answers leave neither duplicates nor disorder'),
    ['unit/client/producer/sequence', 'sequence numbers go on with 0 after 2^31 - 1'],
  ],
  [
    'partitions by murmur2 and CRC-32',
    e('keys go where murmur2, CRC-32 and FNV-1a say'),
    ['unit/client/producer/hashes', 'CRC-32 is the IEEE one'],
  ],
  [
    'sticky and random partitions',
    e('messages without key stay together for the sticky time, and spread at random'),
  ],
  ['transactional calls in the wrong state', t('calls in the wrong state are refused')],
  ['aborted records', a('aborted and undecided records are hidden with read_committed and visible without')],
  ['a second producer with the same id', t('a second producer with the same id fences the first')],
  ['offsets in a transaction', t('offsets become visible with the commit')],
  [
    'a commit with a failed message',
    t('a commit with a failed message asks for an abort, after which all goes on'),
  ],
  ['a transaction that is too old', e('a transaction older than its timeout is aborted by the coordinator')],
  [
    'a commit that runs out of time',
    t('an operation whose time is over goes on, and only the same call may follow'),
  ],
  [
    'no group.id, an unknown property',
    a('what makes no sense is refused at once'),
    p('a misspelt property is refused at once'),
  ],
  ['subscriptions that cannot be', a('what makes no sense is refused at once')],
  ['a topic that an expression matches later', g('an expression picks up topics that are created later')],
  [
    'poll(0) and a short poll',
    a('poll(0) answers at once, a short poll takes its time, an aborted one rejects and loses nothing'),
  ],
  ['counts of consume', a('consume gives what is there, checks its count, and an empty list for none')],
  ['the end of a partition', a('is told once for each arrival, with its offset')],
  [
    'commits of nothing, of too much, of an event',
    a('an argument-less commit commits what was returned; a synchronous one is not told to on_commit'),
    e('an event cannot be committed'),
  ],
  [
    'synchronous and asynchronous commits',
    a('an argument-less commit commits what was returned; a synchronous one is not told to on_commit'),
  ],
  [
    'committed and position of a new partition',
    a('positions are unknown before the first message and follow it'),
    a('an argument-less commit commits what was returned; a synchronous one is not told to on_commit'),
  ],
  [
    'seek',
    a('seek refuses what is not assigned, does not exist, or is no position'),
    a('after a seek the next message has the wanted offset'),
  ],
  ['storeOffsets', a('offsets stored by hand are what is committed'), e('storeOffsets takes one argument')],
  ['offsetsForTimes', a('offsetsForTimes: exact, between, before the first, after the last')],
  ['watermarks', a('watermarks come from the leader, or from what fetching has shown')],
  [
    'pause',
    a('a paused partition keeps its messages until it is resumed'),
    e('a member that pauses everything stays in its group'),
  ],
  ['auto.offset.reset=error', a('auto.offset.reset=error is told as an event')],
  ['what callbacks are told, eager and cooperative', g('callbacks tell what changes hands')],
  ['partitions that are lost', g('is refused in the callback that tells of lost partitions')],
  [
    'incremental calls',
    a('what makes no sense is refused at once'),
    e('assigning of the wrong family is refused in a group: %s'),
  ],
  ['max.poll.interval.ms', g('who polls too rarely leaves, is told so, and joins again')],
  [
    'close commits and leaves',
    g('two members share, one takes over what the other leaves, nothing is lost or repeated'),
    g('a static member keeps its partitions over a restart'),
  ],
  ['a static id that is taken twice', g('a static id that is taken twice ends one of the two')],
  ['consumerGroupMetadata before joining', a('what makes no sense is refused at once')],
  [
    'codecs and large batches',
    a('compressed with %s arrive as they were sent'),
    a('a batch larger than max.partition.fetch.bytes arrives'),
  ],
  ['offsets that were deleted', a('offsets that were deleted under the consumer are reset once')],
  ['a closed consumer', e('every method of a closed consumer says so')],
  ['createTopics of a topic that exists', ['e2e/admin-topics', 'fails for each topic by itself']],
  ['validateOnly', ['e2e/admin-topics', 'makes nothing when it is only to validate']],
  [
    'equal keys',
    ['e2e/admin-configs', 'of topics are described with where each value comes from'],
    [
      'unit/client/admin/keyed-map',
      'is looked up with any equal key, and gives the instances it was made of',
    ],
  ],
  [
    'alterConfigs and incrementalAlterConfigs',
    ['e2e/admin-configs', 'of a whole resource replace what was set before'],
    ['e2e/admin-configs', 'are changed entry by entry, lists by what is added and taken away'],
  ],
  [
    'times of the admin client',
    ['e2e/admin-topics', 'that cannot be reached lets calls run out of time'],
    [
      'unit/client/admin/admin-call',
      'out of range are a ValueError, unknown or mixed ones a TypeError, at once',
    ],
  ],
  [
    'deleteRecords to the end',
    ['e2e/admin-records', 'before an offset moves the low watermark; OFFSET_END empties the partition'],
    a('offsets that were deleted under the consumer are reset once'),
  ],
  ['listOffsets by the largest timestamp', ['e2e/admin-records', 'are found by place and by time']],
  [
    'alterConsumerGroupOffsets',
    ['e2e/admin-groups', 'of members, and of what does not exist, are refused by partition'],
    ['e2e/admin-groups', 'are written, read, and deleted'],
  ],
  ['deleteConsumerGroups', ['e2e/admin-groups', 'needs groups that exist and are empty']],
  [
    'duplicate rules, and filters that match all',
    ['e2e/admin-acls', 'lists of ACLs are checked before anything is sent'],
    ['e2e/admin-acls', 'a filter that matches finds names, prefixes and the star'],
  ],
  ['SCRAM users', ['e2e/admin-users', 'are set, described without their secrets, and deleted']],
  ['two brokers in one describeConfigs', e('configurations of two brokers cannot be described by one call')],
  ['a process that ends', ['e2e/additions', 'ends by itself after the last close']],
  [
    'aborted calls',
    ['e2e/additions', 'a waiting call of the consumer ends, and no message is lost'],
    ['e2e/additions', 'a waiting call of the producer ends, and the producer goes on'],
  ],
  [
    'a thousand producers',
    ['e2e/additions', 'keeps nothing of a thousand producers that were created and closed'],
  ],
]
