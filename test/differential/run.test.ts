import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { parseAnswers } from './answers.ts'
import { type Difference, differences } from './compare.ts'
import { deviations } from './deviations.ts'
import { newRunId, play } from './runner.ts'
import { scenarios } from './scenarios/index.ts'
import { recordedSettings } from './settings.ts'

const recorded = parseAnswers(await readFile(new URL('./answers/kafka-4.4.jsonl', import.meta.url), 'utf8'))

function line({ path, kafka, ours }: Difference, step: string): string {
  return `${step}\n    ${path}: Kafka ${JSON.stringify(kafka)}, kafkito ${JSON.stringify(ours)}`
}

describe('answers as Apache Kafka gave them', () => {
  let cluster: Cluster
  const used = new Set<(typeof deviations)[number]>()

  beforeAll(async () => {
    cluster = await startCluster({ profile: 'kafka', config: recordedSettings })
  })

  afterAll(() => cluster.stop())

  for (const scenario of scenarios) {
    it(`${scenario.name} is answered as by Kafka`, async () => {
      const [host = '', port = ''] = cluster.bootstrapServers.split(':')
      const answers = await play(scenario, { host, port: Number(port), runId: newRunId() })
      const expected = recorded[scenario.name] ?? {}
      expect(Object.keys(answers)).toEqual(Object.keys(expected))
      const unexplained: string[] = []
      for (const [step, kafka] of Object.entries(expected)) {
        for (const difference of differences(kafka, answers[step])) {
          const deviation = deviations.find((one) => one.explains(difference, scenario.name, step))
          if (deviation === undefined) unexplained.push(line(difference, step))
          else used.add(deviation)
        }
      }
      expect(unexplained.join('\n')).toBe('')
    })
  }

  it('every deviation that is written down is needed', () => {
    expect(deviations.filter((one) => !used.has(one)).map(({ reason }) => reason)).toEqual([])
  })
})
