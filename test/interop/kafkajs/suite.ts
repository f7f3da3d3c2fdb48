import { readFile } from 'node:fs/promises'
import { environment, main } from '../lib/cases.ts'
import { kafkajsCases } from './cases.ts'

// kafkajs computes a negative timer now and then and Node warns about it.
process.removeAllListeners('warning')
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'

const isListing = process.argv.includes('--list')
await main(
  kafkajsCases({
    bootstrap: isListing ? 'localhost:9092' : environment('BOOTSTRAP'),
    replication: Number(process.env.REPLICATION ?? '1'),
    lines: isListing
      ? new Array<string>(100_000)
      : (await readFile(environment('LINES_FILE'), 'utf8')).trimEnd().split('\n'),
  }),
)
