/** The assignors by the names of `partition.assignment.strategy`. */
import type { Assignor } from './assignor.ts'
import { cooperativeStickyAssignor } from './cooperative-sticky.ts'
import { rangeAssignor } from './range.ts'
import { roundRobinAssignor } from './roundrobin.ts'

const all: readonly Assignor[] = [rangeAssignor, roundRobinAssignor, cooperativeStickyAssignor]

export function assignorNamed(name: string): Assignor | undefined {
  return all.find((assignor) => assignor.name === name)
}
