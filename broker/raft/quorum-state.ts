/**
 * The `quorum-state` file of the metadata log: the epoch this node is in, who leads it and whom it voted for. A node must never act
 * in an epoch below it, so it is written durably before an epoch begins.
 */
import type { FileSystem } from '../../common/runtime/files.ts'

const QUORUM_STATE_FILE = 'quorum-state'

export interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
  /** -1: no vote in this epoch. */
  readonly votedId: number
  readonly voterIds: readonly number[]
}

export function readQuorumState(files: FileSystem, directory: string): QuorumState | undefined {
  const path = `${directory}/${QUORUM_STATE_FILE}`
  if (files.stat(path) === undefined) return undefined
  const state: unknown = parseJson(files.readFile(path).toString('utf8'))
  if (typeof state !== 'object' || state === null) return undefined
  const { leaderId, leaderEpoch, votedId, currentVoters } = state as Record<string, unknown>
  if (typeof leaderEpoch !== 'number') return undefined
  return {
    leaderEpoch,
    leaderId: typeof leaderId === 'number' ? leaderId : -1,
    votedId: typeof votedId === 'number' ? votedId : -1,
    voterIds: Array.isArray(currentVoters)
      ? currentVoters.flatMap(({ voterId }) => (typeof voterId === 'number' ? [voterId] : []))
      : [],
  }
}

/** Version 0, for a quorum of voters that the configuration names (`kraft.version` 0). */
export function writeQuorumState(files: FileSystem, directory: string, state: QuorumState): void {
  const content = {
    clusterId: '',
    leaderId: state.leaderId,
    leaderEpoch: state.leaderEpoch,
    votedId: state.votedId,
    appliedOffset: 0,
    currentVoters: state.voterIds.map((voterId) => ({ voterId })),
    data_version: 0,
  }
  files.replaceFile(`${directory}/${QUORUM_STATE_FILE}`, JSON.stringify(content))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
