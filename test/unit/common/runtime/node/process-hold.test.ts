import { expect, it } from 'vitest'
import { ProcessHold } from '../../../../../common/runtime/node/process-hold.ts'

it('lets go of what joins later, and forgets what left', () => {
  const hold = new ProcessHold()
  const calls: string[] = []
  const member = (name: string) => ({
    ref: () => calls.push(`${name} ref`),
    unref: () => calls.push(`${name} unref`),
  })
  const [timer, socket] = [member('timer'), member('socket')]
  hold.add(timer)
  expect(calls).toEqual([])
  hold.unref()
  hold.add(socket)
  hold.remove(timer)
  hold.ref()
  expect(calls).toEqual(['timer unref', 'socket unref', 'socket ref'])
  expect(hold.isHeld).toBe(true)
})
