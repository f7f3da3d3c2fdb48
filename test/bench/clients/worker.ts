/**
 * One client and one measure in a process of its own: `worker.js '{"client":"kafkito","measure":"single", …}'`. Prints one line of JSON.
 * What the compilers do is over before anything is counted: the first part of the work is not measured.
 */
import type { BenchClient, ConsumeStyle, Destination } from './client-under-test.ts'

export type ClientName = 'kafkito' | 'kafkajs' | 'platformatic' | 'confluent'
export type Measure = 'single' | 'arrays' | 'stream' | 'consume-each' | 'consume-fast' | 'latency' | 'steady'

export interface WorkOptions extends Destination {
  readonly client: ClientName
  readonly measure: Measure
  readonly messages: number
  readonly perSecond?: number
  readonly minutes?: number
}

/** What is missing was not measured. */
export interface WorkResult {
  readonly messagesPerSecond?: number
  /** Of the client's process, all its threads. */
  readonly cpuMicrosPerMessage?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly peakMiB?: number
  /** Resident memory, and what is in use of V8's heap with everything outside it, every ten seconds. */
  readonly residentMiB?: readonly number[]
  readonly heapMiB?: readonly number[]
  /** What the consumer handled that cannot keep up. */
  readonly slowlyHandled?: number
}

const VALUE_BYTES = 1024
const ARRAY_MESSAGES = 1000
/** Arrays under way at a time. */
const ARRAYS = 4
const LINGER_MS = 5
/** Twenty messages a second where a thousand come. */
const SLOW_HANDLER_MS = 50
const WARM_SHARE = 0.25
const MIB = 1024 * 1024

const values: readonly Buffer[] = Array.from({ length: 256 }, (_, index) => {
  const value = Buffer.allocUnsafeSlow(VALUE_BYTES)
  for (let at = 0; at < VALUE_BYTES; at++) value[at] = 32 + ((index * 31 + at * 7) % 90)
  return value
})
const valueAt = (index: number): Buffer => values[index & 255] as Buffer

async function load(name: ClientName): Promise<BenchClient> {
  switch (name) {
    case 'kafkito':
      return (await import('./kafkito-client.ts')).client
    case 'kafkajs':
      return (await import('./kafkajs-client.ts')).client
    case 'platformatic':
      return (await import('./platformatic-client.ts')).client
    case 'confluent':
      return (await import('./confluent-client.ts')).client
  }
}

class Measured {
  readonly #startMs = performance.now()
  readonly #startCpu = process.cpuUsage()

  done(messages: number): WorkResult {
    const seconds = (performance.now() - this.#startMs) / 1000
    const { user, system } = process.cpuUsage(this.#startCpu)
    return {
      messagesPerSecond: messages / seconds,
      cpuMicrosPerMessage: (user + system) / messages,
      peakMiB: process.resourceUsage().maxRSS / 1024,
    }
  }
}

function percentiles(timesMs: number[]): WorkResult {
  timesMs.sort((one, other) => one - other)
  const at = (share: number): number => timesMs[Math.floor(timesMs.length * share)] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}

async function single(client: BenchClient, options: WorkOptions): Promise<WorkResult> {
  const producer = await client.producer(options, 0)
  const warm = Math.round(options.messages * WARM_SHARE)
  for (let index = 0; index < warm; index++) await producer.sendOne(valueAt(index))
  const timesMs: number[] = []
  const measured = new Measured()
  for (let index = 0; index < options.messages; index++) {
    const startMs = performance.now()
    await producer.sendOne(valueAt(index))
    timesMs.push(performance.now() - startMs)
  }
  const result = measured.done(options.messages)
  await producer.close()
  return { ...result, ...percentiles(timesMs) }
}

/** Nobody lingers: an array is a batch, for the clients that know no other as well. */
async function arrays(client: BenchClient, options: WorkOptions): Promise<WorkResult> {
  const producer = await client.producer(options, 0)
  const send = async (count: number): Promise<void> => {
    let sent = 0
    const one = async (): Promise<void> => {
      while (sent < count) {
        const first = sent
        sent += ARRAY_MESSAGES
        await producer.sendMany(Array.from({ length: ARRAY_MESSAGES }, (_, index) => valueAt(first + index)))
      }
    }
    await Promise.all(Array.from({ length: ARRAYS }, one))
  }
  await send(options.messages * WARM_SHARE)
  const measured = new Measured()
  await send(options.messages)
  const result = measured.done(options.messages)
  await producer.close()
  return result
}

async function stream(client: BenchClient, options: WorkOptions): Promise<WorkResult> {
  const producer = await client.producer(options, LINGER_MS)
  if (producer.stream === undefined) {
    await producer.close()
    return {}
  }
  await producer.stream(Math.round(options.messages * WARM_SHARE), valueAt)
  const measured = new Measured()
  await producer.stream(options.messages, valueAt)
  const result = measured.done(options.messages)
  await producer.close()
  return result
}

/** From the first message behind the warm part, so that joining a group does not count. */
async function consume(client: BenchClient, options: WorkOptions, style: ConsumeStyle): Promise<WorkResult> {
  const warm = Math.round(options.messages * WARM_SHARE)
  const last = options.messages
  let seen = 0
  let bytes = 0
  let measured: Measured | undefined
  let result: WorkResult = {}
  await client.consume(options, style, (value) => {
    bytes += value?.length ?? 0
    if (++seen === warm) measured = new Measured()
    if (seen < last) return true
    result = measured?.done(last - warm) ?? {}
    return false
  })
  if (bytes < last * (VALUE_BYTES - 100)) throw new Error(`${bytes} bytes in ${last} messages`)
  return result
}

/** Producer and consumer in one process and by one clock: the time of sending is in the message. */
async function latency(client: BenchClient, options: WorkOptions): Promise<WorkResult> {
  const { messages, perSecond = 200 } = options
  const producer = await client.producer(options, 0)
  const timesMs: number[] = []
  let isReading = (): void => {}
  const reading = new Promise<void>((resolve) => {
    isReading = resolve
  })
  const consumed = client.consume(options, 'each', (value) => {
    const sentMs = value?.readDoubleBE(0) ?? 0
    isReading()
    if (sentMs > 0) timesMs.push(performance.now() - sentMs)
    return timesMs.length < messages
  })
  const send = (sentMs: number): Promise<unknown> => {
    const value = Buffer.alloc(VALUE_BYTES)
    value.writeDoubleBE(sentMs)
    return producer.sendOne(value)
  }
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  let isReady = false
  void reading.then(() => {
    isReady = true
  })
  while (!isReady) await Promise.all([send(0), pause(100)])
  const measured = new Measured()
  const startMs = performance.now()
  const sends: Promise<unknown>[] = []
  while (sends.length < messages) {
    const due = Math.min(messages, Math.floor(((performance.now() - startMs) * perSecond) / 1000))
    while (sends.length < due) sends.push(send(performance.now()))
    const nextMs = startMs + ((sends.length + 1) * 1000) / perSecond
    await pause(Math.max(1, nextMs - performance.now()))
  }
  await Promise.all([...sends, consumed])
  const { cpuMicrosPerMessage = Number.NaN } = measured.done(messages)
  await producer.close()
  // The first part belongs to the compilers.
  return { cpuMicrosPerMessage, ...percentiles(timesMs.slice(Math.round(messages * WARM_SHARE))) }
}

/** Producing and consuming at a modest rate for minutes, beside a group whose handler is far too slow where the client has such a form. */
async function steady(client: BenchClient, options: WorkOptions): Promise<WorkResult> {
  const { minutes = 10, perSecond = 1000 } = options
  const producer = await client.producer(options, LINGER_MS)
  const messages = Math.round(minutes * 60 * perSecond)
  let seen = 0
  const consumed = client.consume(options, 'each', () => ++seen < messages)
  let isOver = false
  const slow = client.consumeSlowly?.(options, SLOW_HANDLER_MS, () => isOver)
  const residentMiB: number[] = []
  const heapMiB: number[] = []
  const sampling = setInterval(() => {
    const { rss, heapUsed, external } = process.memoryUsage()
    residentMiB.push(rss / MIB)
    heapMiB.push((heapUsed + external) / MIB)
  }, 10_000)
  const measured = new Measured()
  const startMs = performance.now()
  let sent = 0
  let open = 0
  while (sent < messages) {
    const due = Math.min(messages, Math.floor(((performance.now() - startMs) * perSecond) / 1000))
    for (; sent < due; sent++) {
      open++
      void producer.sendOne(valueAt(sent)).then(() => open--)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await consumed
  while (open > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  clearInterval(sampling)
  const { cpuMicrosPerMessage = Number.NaN, peakMiB = Number.NaN } = measured.done(messages)
  isOver = true
  const slowlyHandled = await slow
  await producer.close()
  return {
    ...{ cpuMicrosPerMessage, peakMiB, residentMiB, heapMiB },
    ...(slowlyHandled === undefined ? {} : { slowlyHandled }),
  }
}

function measure(client: BenchClient, options: WorkOptions): Promise<WorkResult> {
  switch (options.measure) {
    case 'single':
      return single(client, options)
    case 'arrays':
      return arrays(client, options)
    case 'stream':
      return stream(client, options)
    case 'consume-each':
      return consume(client, options, 'each')
    case 'consume-fast':
      return consume(client, options, 'fast')
    case 'latency':
      return latency(client, options)
    case 'steady':
      return steady(client, options)
  }
}

const options = JSON.parse(process.argv[2] ?? '{}') as WorkOptions
const result = await measure(await load(options.client), options)
console.log(JSON.stringify(result))
// A client may keep timers or sockets for a while.
process.exit(0)
