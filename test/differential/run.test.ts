import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { parseAnswers } from './answers.ts'
import { deviations } from './deviations.ts'
import { Judge } from './judge.ts'
import { newRunId, play } from './runner.ts'
import { scenarios } from './scenarios/index.ts'
import { noRetention, recordedSettings } from './settings.ts'

const recorded = parseAnswers(await readFile(new URL('./answers/kafka-4.4.jsonl', import.meta.url), 'utf8'))

describe('answers as Apache Kafka gave them', () => {
  let cluster: Cluster
  const judge = new Judge(deviations)

  beforeAll(async () => {
    cluster = await startCluster({ profile: 'kafka', config: { ...recordedSettings, ...noRetention } })
  })

  afterAll(() => cluster.stop())

  for (const scenario of scenarios) {
    it(`${scenario.name} is answered as by Kafka`, async () => {
      const [host = '', port = ''] = cluster.bootstrapServers.split(':')
      const answers = await play(scenario, { host, port: Number(port), runId: newRunId() })
      const expected = recorded[scenario.name] ?? {}
      expect(Object.keys(answers)).toEqual(Object.keys(expected))
      expect(judge.unexplained(scenario.name, expected, answers)).toBe('')
    })
  }

  it('every deviation that is written down is needed', () => {
    expect(judge.unneeded).toEqual([])
  })
})
