/**
 * The clock port. Nothing outside `common/runtime/node` reads time in any other way, so that a test can own it.
 */
export interface Clock {
  /** Milliseconds since the epoch, a whole number: what record timestamps and checkpoints hold. May step. */
  wallMs(): number
  /** Milliseconds that never go back and do not follow wall clock steps: for time-outs. May have fractions. */
  monotonicMs(): number
}
