/**
 * Plays every scenario against two brokers that run, and prints where their answers differ without a reason that is
 * written down. `--words` also prints the messages beside each other that differ in their wording only.
 */
import { parseArgs } from 'node:util'
import { differences } from './compare.ts'
import { deviations, isWording } from './deviations.ts'
import { newRunId, play } from './runner.ts'
import { scenarios } from './scenarios/index.ts'

const { values } = parseArgs({
  options: {
    kafka: { type: 'string', default: '127.0.0.1:9092' },
    kafkito: { type: 'string', default: '127.0.0.1:9094' },
    only: { type: 'string', multiple: true },
    words: { type: 'boolean', default: false },
  },
})

function optionsOf(bootstrap: string): { host: string; port: number; runId: string } {
  const [host = '', port = ''] = bootstrap.split(':')
  return { host, port: Number(port), runId: newRunId() }
}

let count = 0
for (const scenario of scenarios) {
  if (values.only !== undefined && !values.only.includes(scenario.name)) continue
  const [kafka, ours] = await Promise.all([
    play(scenario, optionsOf(values.kafka)),
    play(scenario, optionsOf(values.kafkito)),
  ])
  for (const [step, answer] of Object.entries(kafka)) {
    for (const difference of differences(answer, ours[step])) {
      const isKnown = deviations.some((one) => one.explains(difference, scenario.name, step))
      if (isKnown && !(values.words && isWording(difference))) continue
      if (!isKnown) count++
      const shown = `Kafka ${JSON.stringify(difference.kafka)}, kafkito ${JSON.stringify(difference.ours)}`
      console.log(`${scenario.name}: ${step}\n    ${difference.path}: ${shown}`)
    }
  }
}
console.log(`${count} differences`)
process.exit(count === 0 ? 0 : 1)
