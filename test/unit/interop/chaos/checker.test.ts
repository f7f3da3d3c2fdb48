import { describe, expect, it } from 'vitest'
import { FinalLog, judgeGroup, judgeProduced, judgeTransactions } from '../../../interop/chaos/checker.ts'
import { type ChaosEvent, parseEvent } from '../../../interop/chaos/events.ts'
import { planFaults } from '../../../interop/chaos/plan.ts'

function eventsOf(...lines: readonly string[]): ChaosEvent[] {
  return lines.map((line) => parseEvent(line) as ChaosEvent)
}

/** A partition whose records lie at the offsets 0, 1, 2, … */
function logOf(topic: string, partition: number, ...values: readonly (number | string)[]): FinalLog {
  return new FinalLog(
    eventsOf(...values.map((value, offset) => `record ${topic} ${partition} ${offset} ${value}`)),
  )
}

const acks = eventsOf('ack t 0 0 0', 'ack t 0 1 1', 'ack t 0 2 2')

describe('what was acknowledged', () => {
  it('is fine when it lies where the acknowledgements say', () => {
    expect(judgeProduced('t', acks, logOf('t', 0, 0, 1, 2), 'exactly once')).toEqual({
      problems: [],
      acknowledged: 3,
      doubled: 0,
      failed: 0,
    })
  })

  it('may be followed by records that nobody acknowledged', () => {
    expect(judgeProduced('t', acks, logOf('t', 0, 0, 1, 2, 3), 'exactly once').problems).toEqual([])
  })

  it('is lost when it is not there', () => {
    expect(judgeProduced('t', acks, logOf('t', 0, 0, 1), 'exactly once').problems).toEqual([
      't-0: 2 was acknowledged at 2 and is lost',
    ])
  })

  it('may be there twice only when once was not promised', () => {
    const log = logOf('t', 0, 0, 1, 2, 1)
    expect(judgeProduced('t', acks, log, 'exactly once').problems).toEqual([
      't-0: 1 is there twice, at 1 and 3',
    ])
    expect(judgeProduced('t', acks, log, 'at least once')).toMatchObject({ problems: [], doubled: 1 })
  })

  it('is reordered when a lower number comes later', () => {
    const log = logOf('t', 0, 0, 2, 1)
    expect(judgeProduced('t', eventsOf('ack t 0 0 0'), log, 'exactly once').problems).toEqual([
      't-0: 1 at 2 comes after 2: reordered',
    ])
  })

  it('lies at the offset of its acknowledgement', () => {
    const log = logOf('t', 0, 0, 'x', 1)
    expect(judgeProduced('t', eventsOf('ack t 0 1 1'), log, 'at least once').problems).toEqual([
      't-0: 1 was acknowledged at 1, where x lies',
    ])
    expect(judgeProduced('t', eventsOf('ack t 0 1 -1'), log, 'at least once').problems).toEqual([])
  })

  it('is counted apart from what was given up', () => {
    const events = eventsOf('ack t 0 0 0', 'failed t 0 1 TimeoutException')
    expect(judgeProduced('t', events, logOf('t', 0, 0), 'exactly once')).toMatchObject({
      problems: [],
      acknowledged: 1,
      failed: 1,
    })
  })
})

describe('a group', () => {
  const log = logOf('t', 0, 'a', 'b', 'c', 'd')
  const judge = (...lines: readonly string[]) => judgeGroup('g', ['t'], eventsOf(...lines), log)
  const firstTwo = ['assigned g m1 t 0', 'got g m1 t 0 0 a', 'got g m1 t 0 1 b', 'trying g t 0 2']
  const lastTwo = ['got g m2 t 0 2 c', 'got g m2 t 0 3 d']

  it('is fine when it resumes where it committed', () => {
    expect(judge(...firstTwo, 'committed g t 0 2', 'assigned g m2 t 0', ...lastTwo)).toEqual({
      problems: [],
      received: 4,
      resumes: 2,
      commits: 1,
    })
  })

  it('may resume before a commit that was not acknowledged, or behind it', () => {
    expect(
      judge(...firstTwo, 'assigned g m2 t 0', 'got g m2 t 0 0 a', 'got g m2 t 0 1 b', ...lastTwo).problems,
    ).toEqual([])
    expect(judge(...firstTwo, 'assigned g m2 t 0', ...lastTwo).problems).toEqual([])
  })

  it('must not resume before what was acknowledged', () => {
    const again = ['assigned g m2 t 0', 'got g m2 t 0 1 b', ...lastTwo]
    expect(judge(...firstTwo, 'committed g t 0 2', ...again).problems).toEqual([
      'g on t-0: m2 resumes at 1, committed was 2, asked for 2',
    ])
  })

  it('must not skip records when it resumes, nor while it reads', () => {
    expect(judge(...firstTwo, 'committed g t 0 2', 'assigned g m2 t 0', 'got g m2 t 0 3 d').problems).toEqual(
      ['g on t-0: m2 resumes at 3, committed was 2, asked for 2', 'g on t-0: 1 records were never read'],
    )
    expect(judge('assigned g m1 t 0', 'got g m1 t 0 0 a', 'got g m1 t 0 2 c').problems).toEqual([
      'g on t-0: m1 reads record 2 after record 0',
      'g on t-0: 2 records were never read',
    ])
  })

  it('must not read a record again without having been assigned the partition again', () => {
    expect(judge(...firstTwo, 'got g m1 t 0 1 b', 'got g m1 t 0 2 c', 'got g m1 t 0 3 d').problems).toEqual([
      'g on t-0: m1 reads record 1 after record 1',
    ])
  })

  it('must not commit a lower offset', () => {
    const events = [
      ...firstTwo,
      'got g m1 t 0 2 c',
      'got g m1 t 0 3 d',
      'committed g t 0 2',
      'committed g t 0 1',
    ]
    expect(judge(...events).problems).toEqual(['g on t-0: the committed offset goes back from 2 to 1'])
  })

  it('must not have read what the log does not hold at the end', () => {
    expect(judge(...firstTwo, 'got g m1 t 0 2 x', 'got g m1 t 0 4 e').problems).toEqual([
      'g on t-0: read x at 2, which the log does not hold',
      'g on t-0: read e at 4, which the log does not hold',
      'g on t-0: 2 records were never read',
    ])
  })

  it('skips the offsets of markers', () => {
    const gaps = new FinalLog(eventsOf('record t 0 0 a', 'record t 0 2 b'))
    const events = eventsOf('assigned g m1 t 0', 'got g m1 t 0 0 a', 'trying g t 0 1', 'committed g t 0 1')
    const resumed = eventsOf('assigned g m2 t 0', 'got g m2 t 0 2 b')
    expect(judgeGroup('g', ['t'], [...events, ...resumed], gaps).problems).toEqual([])
  })
})

describe('transactions', () => {
  const parts = { source: 'in', sink: 'out' }
  const source = ['record in 0 0 0', 'record in 0 1 1']
  const judge = (records: readonly string[], ...lines: readonly string[]) =>
    judgeTransactions(parts, eventsOf(...lines), new FinalLog(eventsOf(...source, ...records)))
  const whole = [
    'record out 0 0 1:0:0:a',
    'record out 0 1 1:0:1:a',
    'record out 1 0 1:0:0:b',
    'record out 1 1 1:0:1:b',
  ]

  it('are fine when all their records are visible and every source record was copied once', () => {
    expect(judge(whole, 'begin 1 4', 'commit 1', 'begin 2 4', 'abort 2')).toEqual({
      problems: [],
      committed: 1,
      aborted: 1,
      unknown: 0,
    })
  })

  it('are halves when some of their records are missing', () => {
    expect(judge(whole.slice(0, 3), 'begin 1 4', 'commit 1').problems).toEqual([
      'transaction 1: 3 of 4 records are visible',
      'copies b of in-0: 1 are missing, the first is of offset 1',
    ])
  })

  it('of unknown end are visible whole or not at all', () => {
    expect(judge(whole, 'begin 1 4', 'unknown 1').problems).toEqual([])
    expect(judge(whole.slice(0, 3), 'begin 1 4').problems).toContain(
      'transaction 1: 3 of 4 records are visible',
    )
  })

  it('that were aborted are not visible, and those that were committed are', () => {
    expect(judge(whole, 'begin 1 4', 'abort 1').problems).toEqual([
      'transaction 1 was aborted, 4 of its records are visible',
    ])
    expect(judge(whole, 'begin 1 4', 'commit 1', 'begin 2 2', 'commit 2').problems).toEqual([
      'transaction 2 was committed and is lost',
    ])
  })

  it('must not copy a record twice, although each of them is whole', () => {
    const again = ['record out 0 3 2:0:1:a', 'record out 1 3 2:0:1:b']
    expect(judge([...whole, ...again], 'begin 1 4', 'commit 1', 'begin 2 2', 'commit 2').problems).toEqual([
      'copies a of in-0: offset 1 was copied twice',
      'copies b of in-0: offset 1 was copied twice',
    ])
  })

  it('must keep the order of the records they copy', () => {
    const turned = ['record out 0 0 1:0:1:a', 'record out 0 1 1:0:0:a', ...whole.slice(2)]
    expect(judge(turned, 'begin 1 4', 'commit 1').problems).toEqual([
      'copies a of in-0: offset 0 comes after 1',
    ])
  })
})

describe('the plan of faults', () => {
  const options = { count: 50, brokers: [1, 2, 3], kinds: ['kill', 'stop', 'freeze'] as const, pace: 1 }

  it('is the same for the same seed, and another for another', () => {
    expect(planFaults({ ...options, seed: 7 })).toEqual(planFaults({ ...options, seed: 7 }))
    expect(planFaults({ ...options, seed: 8 })).not.toEqual(planFaults({ ...options, seed: 7 }))
  })

  it('has every kind about as often as the others', () => {
    const faults = planFaults({ ...options, seed: 7 })
    for (const kind of options.kinds)
      expect(faults.filter((fault) => fault.kind === kind).length).toBeGreaterThanOrEqual(16)
  })
})
