/**
 * Writes down what a broker answers:
 *
 *     npx tsx test/differential/record.ts --bootstrap 127.0.0.1:9092 --out answers.jsonl [--only scenario]
 *
 * The answers of Apache Kafka in `answers/` come from a broker started for this with the settings of `settings.ts`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { formatAnswers, parseAnswers } from './answers.ts'
import { newRunId, playAll } from './runner.ts'
import { scenarios } from './scenarios/index.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    out: { type: 'string', default: 'answers.jsonl' },
    only: { type: 'string', multiple: true },
  },
})
const [host = '127.0.0.1', port = '9092'] = values.bootstrap.split(':')
const chosen = scenarios.filter(({ name }) => values.only === undefined || values.only.includes(name))
const answers = await playAll(chosen, { host, port: Number(port), runId: newRunId() }, (name) =>
  console.error(name),
)
const before = values.only === undefined ? {} : parseAnswers(await readFile(values.out, 'utf8'))
const merged = { ...before, ...answers }
await writeFile(values.out, formatAnswers(merged))
const count = Object.values(merged).reduce((sum, one) => sum + Object.keys(one).length, 0)
console.error(`${count} answers in ${Object.keys(merged).length} scenarios`)
