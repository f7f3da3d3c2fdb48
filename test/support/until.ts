/**
 * Lets the event loop turn until a condition holds; the condition is looked at after every turn, so nothing waits longer than it must.
 */
export async function until(condition: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
