/**
 * The votes of one (pre-)election, from the candidate's side. Owned by one stay in the role; a later stay counts anew.
 */
export class VoteTally {
  readonly #voters: readonly number[]
  readonly #answers = new Map<number, boolean>()

  constructor(voters: readonly number[]) {
    this.#voters = voters
  }

  /** The first answer of a voter counts; what others say does not. */
  record(voterId: number, isGranted: boolean): void {
    if (this.#voters.includes(voterId) && !this.#answers.has(voterId)) this.#answers.set(voterId, isGranted)
  }

  get isWon(): boolean {
    return this.grantingVoters.length >= majorityOf(this.#voters.length)
  }

  /** So many have refused that those left are no majority. */
  get isLost(): boolean {
    const refused = this.#answers.size - this.grantingVoters.length
    return this.#voters.length - refused < majorityOf(this.#voters.length)
  }

  get grantingVoters(): readonly number[] {
    return this.#voters.filter((voterId) => this.#answers.get(voterId) === true)
  }
}

export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1
}
