import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { parseAnswers } from './answers.ts'
import { threeBrokerDeviations } from './deviations.ts'
import { Judge } from './judge.ts'
import { addressesOf, newRunId, play } from './runner.ts'
import { threeBrokerScenarios } from './scenarios/three-brokers.ts'
import { noRetention, threeBrokerSettings } from './settings.ts'

const recorded = parseAnswers(
  await readFile(new URL('./answers/kafka-4.4-three-brokers.jsonl', import.meta.url), 'utf8'),
)

describe('answers of three brokers as Apache Kafka gave them', () => {
  let cluster: Cluster
  const judge = new Judge(threeBrokerDeviations)

  beforeAll(async () => {
    cluster = await startCluster({
      brokers: 3,
      profile: 'kafka',
      config: { ...threeBrokerSettings, ...noRetention },
    })
  })

  afterAll(() => cluster.stop())

  for (const scenario of threeBrokerScenarios) {
    it(`${scenario.name} is answered as by Kafka`, async () => {
      const addresses = addressesOf(cluster.bootstrapServers)
      const answers = await play(scenario, { ...addresses, runId: newRunId() })
      const expected = recorded[scenario.name] ?? {}
      expect(Object.keys(answers)).toEqual(Object.keys(expected))
      expect(judge.unexplained(scenario.name, expected, answers)).toBe('')
    })
  }

  it('every deviation that is written down is needed', () => {
    expect(judge.unneeded).toEqual([])
  })
})
