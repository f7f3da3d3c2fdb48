/**
 * How eagerly the process collects garbage. A broker on files has a small heap, while everything that passes through it counts as external
 * memory: at V8's own pace it would mark its whole heap for every few megabytes of records. Letting the heap grow to three times what
 * lives costs some tens of megabytes and takes a third off the processor time per gigabyte (docs/benchmarks.md). A cluster in memory
 * keeps its records alive, so there the factor would be paid in them, and V8 is left alone.
 */
import { setFlagsFromString } from 'node:v8'

const GROWING_PERCENT = 200

export function collectLessOften(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
}

/**
 * Leaves the space for young objects at the size that it has (some megabytes after a start). V8 doubles it to 32 MiB under load; here
 * that would hold 25 MiB more of dead requests, and the buffers of records that these are the last to point to.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
