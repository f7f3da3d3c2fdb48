/**
 * Every bound of the runtime, with unit and reason. Nothing in `common/runtime` grows without one of these.
 */

/** Tasks (mostly frames) of one turn: enough to group appends well, few enough that answers leave promptly. */
export const maxTasksPerTurn = 512

/** Time for timers and tasks of one turn; what is left waits for the next, so that sockets are read in between. */
export const maxTurnMs = 10

/** Turns of a client that begin at once before the sockets are looked at: an answer, what the application does with it, for two brokers. */
export const maxPromptTurns = 4

/** Timers fired in one turn: ten thousand that come due together must not hold up the frames. */
export const maxTimersPerTurn = 256

/** A process that runs this much later than its alarm asked has stood still; what was longer does not count for a server's timers. */
export const maxLatenessMs = 100

/**
 * Calls of `wake` in one turn. Honest work needs a few per partition and waiting operation; beyond this two objects
 * are touching each other for ever.
 */
export const maxWakesPerTurn = 200_000

/** Rounds of wake and flush in one turn: a flush that fails may touch what it failed. */
export const maxSettleRoundsPerTurn = 16

/** Turns of `runUntilIdle`: beyond this the work is feeding itself and a test would hang. */
export const maxTurnsUntilIdle = 1_000_000

/** Longest delay of a Node timer (2^31 - 1); later ones are armed again when it fires. */
export const maxAlarmDelayMs = 2_147_483_647

/** Buffers of one `writev`: IOV_MAX of Linux and macOS. */
export const maxBuffersPerWritev = 1024

/** Bytes of entropy fetched from the system at a time: one system call serves 256 uuids. */
export const entropyPoolBytes = 4096

/** Largest page a memory file fills by copying; files begin small and double up to this. */
export const memoryPageBytes = 64 * 1024

/** First page of a memory file: ten thousand partitions have forty thousand small files. */
export const memoryFirstPageBytes = 512

/** Immutable buffers from this size are kept by reference in a memory file; smaller ones are cheaper to copy. */
export const memoryReferenceBytes = 4 * 1024

/**
 * A buffer is kept by reference only when it is at least this share of its backing memory, so that a small batch does
 * not keep a large frame alive. Bounds the overhead of memory files to the inverse.
 */
export const memoryReferenceMinShare = 0.5

/** Size that a memory disk reports when it has no capacity of its own. */
export const memoryDiskDefaultBytes = 1024 ** 4

/** Bytes before a frame's body: its length as int32. */
export const frameLengthBytes = 4

/** A body that still misses this much is read into its own buffer; less goes through the shared one with what follows it. */
export const frameInPlaceBytes = 4 * 1024

/** The one buffer of a process into which sockets read what has no place of its own yet. */
export const socketScratchBytes = 128 * 1024

/** Bodies from this size are read into memory that is used again (`recycled-bytes.ts`). */
export const recycledBodyMinBytes = 8 * 1024

/** Such memory that may wait for its next use, over all links of a transport. */
export const recycledBytesLimit = 8 * 1024 * 1024

/** Frames up to this size get their buffer when their first byte arrives. */
export const frameEagerBytes = 64 * 1024

/**
 * A larger frame gets its buffer when this share of it has arrived: who announces 100 MB has to send 25 MB before it
 * costs 100 MB.
 */
export const frameAllocateShare = 0.25

/**
 * A frame that lies wholly inside a received chunk is handed over as a view when it is at least this share of the
 * chunk; a smaller one is copied, because whoever keeps it would keep the chunk.
 */
export const frameViewMinShare = 0.5

/** Fragments below this size are copied together before a write; larger ones go to `writev` by reference. */
export const joinFragmentBytes = 16 * 1024

/** Bytes joined into one buffer at most. */
export const joinBufferBytes = 256 * 1024

/** Bytes queued on a link from which `isWritable` is false. */
export const linkQueueHighBytes = 4 * 1024 * 1024

/** Bytes queued on a link below which it is writable again: half, so that it does not flutter. */
export const linkQueueLowBytes = 2 * 1024 * 1024

/** Time for queued bytes to leave after `close`; a peer that stopped reading must not hold the socket. */
export const linkCloseTimeoutMs = 5_000

/** Time a closed link waits for the other side's end, so that unread input does not turn the close into a reset. */
export const linkLingerMs = 500

/** Silence after which the system probes the peer, to notice hosts that vanished (half-open connections). */
export const tcpKeepAliveMs = 60_000

/** Connections the system holds for us before we accept them. */
export const tcpBacklog = 1024

/** First and last port that an in-memory listener takes for port 0: the ephemeral range of IANA. */
export const memoryFirstPort = 49_152
export const memoryLastPort = 65_535

/** Fault rules alive at once; a test that reaches it forgot to remove them. */
export const maxFaultRules = 10_000

/** Unsynced changes that a simulated disk remembers for a file; older ones count as written back, as a real system would. */
export const maxUnsyncedChanges = 4096
