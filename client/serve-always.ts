import type { ClientCore } from './client-core.ts'

/** `autoPoll`: serves queued events as the event loop turns, until the handle is closed. What a callback throws is told. */
export async function serveAlways(core: ClientCore): Promise<void> {
  const { events } = core
  while (!core.isClosed) {
    try {
      if (events.serveReady() === 0) await events.wait(Number.POSITIVE_INFINITY)
      else await events.turn()
    } catch (error) {
      core.notifier.error(error)
    }
  }
}
