// Runs the suite twice: on a cluster of its own, and attached to one that runs already (here kafkito again; any Kafka will do).
import { spawnSync } from 'node:child_process'

const { KAFKITO_BOOTSTRAP: given, ...environment } = process.env
const run = (env) => spawnSync(process.execPath, ['--test'], { stdio: 'inherit', env }).status ?? 1

let failed = run(environment)
if (given === undefined) {
  const { fork } = await import('node:child_process')
  const server = fork(new URL('./server.js', import.meta.url))
  const bootstrap = await new Promise((resolve) => server.once('message', resolve))
  failed ||= run({ ...environment, KAFKITO_BOOTSTRAP: bootstrap })
  server.kill()
} else {
  failed ||= run(process.env)
}
process.exit(failed)
