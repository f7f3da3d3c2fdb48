/**
 * Whether what a runtime waits for keeps the process alive: its alarm, and the sockets that it opened. Owned by the runtime.
 * Invariant: every member is referenced while `isHeld`, and not otherwise.
 */
export interface Holder {
  ref(): unknown
  unref(): unknown
}

export class ProcessHold {
  readonly #members = new Set<Holder>()
  #isHeld = true

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Stays a member until `remove`. */
  add(member: Holder): void {
    this.#members.add(member)
    if (!this.#isHeld) member.unref()
  }

  remove(member: Holder): void {
    this.#members.delete(member)
  }

  /** Idempotent, as Node's own. */
  ref(): void {
    this.#isHeld = true
    for (const member of this.#members) member.ref()
  }

  /** Idempotent, as Node's own. */
  unref(): void {
    this.#isHeld = false
    for (const member of this.#members) member.unref()
  }
}
