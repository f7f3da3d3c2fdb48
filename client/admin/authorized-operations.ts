/** The caller's permitted operations, from the bit field of a response (KIP-430). */
import { AclOperation } from '../constants.ts'

/** The field was not asked for. */
const notAsked = -0x80000000
const documented: ReadonlySet<number> = new Set(Object.values(AclOperation))

/** null when they were not asked for, or the broker is too old to tell. Operations that have no name here are left out. */
export function authorizedOperations(bits: number): AclOperation[] | null {
  if (bits === notAsked) return null
  const operations: AclOperation[] = []
  for (let operation = 0; operation < 31; operation++) {
    if ((bits & (1 << operation)) !== 0 && documented.has(operation))
      operations.push(operation as AclOperation)
  }
  return operations
}
