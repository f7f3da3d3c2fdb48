import { expect, it } from 'vitest'
import { createNodeRuntime } from '../../../../../common/runtime/node/runtime.ts'

const comeBy = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('begins the turn of a client when the running callback is done, without a look at the sockets', async () => {
  const { reactor, close } = createNodeRuntime({ areTurnsPrompt: true })
  const order: string[] = []
  setImmediate(() => order.push('event loop'))
  reactor.post(() => order.push('turn'))
  void Promise.resolve().then(() => reactor.post(() => order.push('what a promise asked for')))
  await comeBy()
  expect(order).toEqual(['turn', 'what a promise asked for', 'event loop'])
  close()
})

it('lets the sockets be read although a client asks for one turn after the other', async () => {
  const { reactor, close } = createNodeRuntime({ areTurnsPrompt: true })
  let turns = 0
  let isOver = false
  const again = (): void => {
    turns++
    if (!isOver) void Promise.resolve().then(() => reactor.post(again))
  }
  reactor.post(again)
  for (let count = 0; count < 3; count++) await comeBy()
  isOver = true
  await comeBy()
  expect(turns).toBeGreaterThan(3)
  expect(turns).toBeLessThan(50)
  close()
})

it('runs what waits for input after the event loop came by', async () => {
  const { reactor, close } = createNodeRuntime({ areTurnsPrompt: true })
  const order: string[] = []
  setImmediate(() => order.push('event loop'))
  await new Promise<void>((resolve) => {
    reactor.postAfterInput(() => {
      order.push('after input')
      resolve()
    })
    reactor.post(() => order.push('turn'))
  })
  expect(order).toEqual(['turn', 'event loop', 'after input'])
  close()
})

it('runs what waits for input in the next turn where every turn begins with the event loop', async () => {
  const { reactor, close } = createNodeRuntime()
  const order: string[] = []
  reactor.post(() => order.push('first'))
  await new Promise<void>((resolve) => reactor.postAfterInput(resolve))
  order.push('second')
  expect(order).toEqual(['first', 'second'])
  close()
})
