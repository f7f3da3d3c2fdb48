import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HeapEntry, isEarlier, TimerHeap } from '../../../../common/runtime/timer-heap.ts'

describe('a heap of timers', () => {
  it('gives the entries in order whatever was pushed and removed between', () => {
    const step = fc.oneof(
      fc.record({ push: fc.nat(20) }),
      fc.record({ remove: fc.nat(1000) }),
      fc.constant('pop' as const),
      fc.record({ dropUnder: fc.nat(5) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const heap = new TimerHeap<HeapEntry>()
        let model: HeapEntry[] = []
        let sequence = 0
        const sorted = (): HeapEntry[] => model.sort((a, b) => (isEarlier(a, b) ? -1 : 1))
        for (const action of steps) {
          if (action === 'pop') {
            expect(heap.pop()).toBe(sorted().shift())
          } else if ('push' in action) {
            const entry = {
              dueMs: action.push,
              tieBreak: action.push % 3,
              sequence: sequence++,
              heapIndex: -1,
            }
            model.push(entry)
            heap.push(entry)
          } else if ('remove' in action) {
            const [entry] = model.splice(action.remove % Math.max(1, model.length), 1)
            if (entry === undefined) continue
            heap.remove(entry)
            heap.remove(entry)
          } else {
            const removed = heap.removeWhere(({ dueMs }) => dueMs < action.dropUnder)
            expect(removed.length).toBe(model.filter(({ dueMs }) => dueMs < action.dropUnder).length)
            model = model.filter(({ dueMs }) => dueMs >= action.dropUnder)
          }
          expect(heap.size).toBe(model.length)
        }
        expect(Array.from({ length: model.length }, () => heap.pop())).toEqual(sorted())
        expect(heap.pop()).toBeUndefined()
      }),
    )
  })
})
