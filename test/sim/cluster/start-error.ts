/** What a start ended with: the sentence of its error, or undefined. */
export function startError(start: Promise<void>): Promise<string | undefined> {
  return start.then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  )
}
