/**
 * The random port. Seeded in simulations (a seed is a run), from the system's entropy otherwise.
 */
export interface Random {
  /** A whole number in [0, bound). `bound` is at most 2^32. */
  int(bound: number): number
  /** A number in [0, 1). */
  float(): number
  /** Fresh bytes. */
  bytes(sizeBytes: number): Buffer
  /** A random (version 4) UUID in Kafka's 22 character base64url form, never one that starts with a dash. */
  uuid(): string
  /** A new array with the items in random order. */
  shuffle<T>(items: readonly T[]): T[]
  /** An independent generator that is a function of this one's state and the label. */
  fork(label: string): Random
}
