/**
 * Writes down what a broker answers:
 *
 *     npx tsx test/differential/record.ts --bootstrap 127.0.0.1:9092 --out answers.jsonl [--only scenario]
 *
 * With three addresses (`H:P,H:P,H:P`) the scenarios for three brokers are played. The answers of Apache Kafka in `answers/` come from
 * brokers started for this with the settings of `settings.ts`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { formatAnswers, parseAnswers } from './answers.ts'
import { addressesOf, newRunId, playAll } from './runner.ts'
import { scenarios } from './scenarios/index.ts'
import { threeBrokerScenarios } from './scenarios/three-brokers.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    out: { type: 'string', default: 'answers.jsonl' },
    only: { type: 'string', multiple: true },
  },
})
const addresses = addressesOf(values.bootstrap)
const all = addresses.others?.size === 2 ? threeBrokerScenarios : scenarios
const chosen = all.filter(({ name }) => values.only === undefined || values.only.includes(name))
const answers = await playAll(chosen, { ...addresses, runId: newRunId() }, (name) => console.error(name))
const before = values.only === undefined ? {} : parseAnswers(await readFile(values.out, 'utf8'))
const merged = { ...before, ...answers }
await writeFile(values.out, formatAnswers(merged))
const count = Object.values(merged).reduce((sum, one) => sum + Object.keys(one).length, 0)
console.error(`${count} answers in ${Object.keys(merged).length} scenarios`)
