/**
 * A metadata quorum in a simulated world: every node has a machine, a disk that a power cut takes its toll of, and the real metadata log,
 * handlers and codecs; their controller listeners are small. The cluster watches what must hold at all times:
 * one leader an epoch; what is committed never changes and reaches every node in order; no high watermark goes back.
 */
import { fetch } from '../../broker/api/01-fetch.ts'
import { vote } from '../../broker/api/52-vote.ts'
import { beginQuorumEpoch } from '../../broker/api/53-begin-quorum-epoch.ts'
import { endQuorumEpoch } from '../../broker/api/54-end-quorum-epoch.ts'
import { fetchSnapshot } from '../../broker/api/59-fetch-snapshot.ts'
import type { Handler } from '../../broker/api/handler.ts'
import { MetadataLoader } from '../../broker/metadata/loader.ts'
import { METADATA_FORMAT } from '../../broker/metadata/metadata-format.ts'
import { metadataRecord } from '../../broker/metadata/metadata-record.ts'
import { encodeImageSnapshot } from '../../broker/metadata/snapshot.ts'
import { PeerClient } from '../../broker/peer/peer-client.ts'
import { MetadataLog } from '../../broker/raft/metadata-log.ts'
import { cleanMetadataLog } from '../../broker/raft/metadata-retention.ts'
import { DEFAULT_QUORUM_LIMITS } from '../../broker/raft/quorum-limits.ts'
import type { QuorumTimeouts } from '../../broker/raft/quorum-timeouts.ts'
import { decodeRequest } from '../../common/protocol/codec.ts'
import type { Frame } from '../../common/protocol/frame.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../common/protocol/header.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { asDeferred } from '../../common/runtime/deferred.ts'
import type { MemoryDisk } from '../../common/runtime/sim/files.ts'
import { createSimRuntime, type SimRuntime } from '../../common/runtime/sim/runtime.ts'
import type { Link } from '../../common/runtime/transport.ts'
import { FilePool } from '../../storage/file-pool.ts'
import { logConfig } from '../../storage/log-config.ts'
import { LogManager } from '../../storage/log-manager.ts'
import { TailCache } from '../../storage/tail-cache.ts'

const CLUSTER_ID = '7zP3mXqRQ5e0yq1v2tD9xA'
const HANDLERS = new Map(
  ([fetch, vote, beginQuorumEpoch, endQuorumEpoch, fetchSnapshot] as unknown as Handler<ApiSchema>[]).map(
    (handler) => [handler.api.key, handler],
  ),
)

export interface ClusterOptions {
  readonly seed: number | string
  readonly voters: number
  readonly observers?: number
  readonly timeouts?: Partial<QuorumTimeouts>
  /** How much of the log one answer brings; with 1 it is a batch. */
  readonly fetchMaxBytes?: number
}

interface Acknowledged {
  readonly offset: number
  readonly key: string
}

/** One life of a node, from its start to its end. */
interface Life {
  readonly log: MetadataLog
  readonly loader: MetadataLoader
  readonly end: (options: { losesUnsynced: boolean }) => void
  /** What it appended as leader and was not told the end of. */
  waiting: { readonly epoch: number; readonly offset: number; readonly key: string }[]
  nextOffset: number
  highWatermark: number
  readonly toldHighWatermarks: number[]
}

export class SimNode {
  readonly id: number
  disk: MemoryDisk | undefined
  life: Life | undefined
  lives = 0

  constructor(id: number) {
    this.id = id
  }

  get name(): string {
    return `node-${this.id}`
  }

  get log(): MetadataLog {
    if (this.life === undefined) throw new Error(`${this.name} is down`)
    return this.life.log
  }
}

export class RaftCluster {
  readonly world: SimRuntime
  readonly nodes: readonly SimNode[]
  readonly acknowledged: Acknowledged[] = []
  readonly events: string[] = []
  readonly #options: ClusterOptions
  /** Committed batches by base offset, as the first node that saw them did. */
  readonly #committed = new Map<number, Buffer>()
  readonly #leaders = new Map<number, number>()
  #committedEnd = 0
  #keys = 0

  constructor(options: ClusterOptions) {
    this.#options = options
    this.world = createSimRuntime({ seed: options.seed, disk: { trackUnsynced: true } })
    const count = options.voters + (options.observers ?? 0)
    this.nodes = Array.from({ length: count }, (_, index) => new SimNode(index + 1))
  }

  get committedEnd(): number {
    return this.#committedEnd
  }

  get leaders(): SimNode[] {
    return this.nodes.filter((node) => node.life?.log.isLeader === true)
  }

  /** The leader of the newest epoch, if any. */
  get leader(): SimNode | undefined {
    return this.leaders.sort((left, right) => right.log.leaderEpoch - left.log.leaderEpoch)[0]
  }

  node(id: number): SimNode {
    return this.nodes[id - 1] as SimNode
  }

  startAll(): void {
    for (const node of this.nodes) if (node.life === undefined) this.start(node)
  }

  start(node: SimNode): void {
    const { world } = this
    const machine = world.machine(node.name, node.disk)
    node.disk = machine.files
    node.lives += 1
    const runtime = { ...machine, random: world.random.fork(`${node.name} life ${node.lives}`) }
    const { files, clock, scheduler, reactor, random, trace } = runtime
    const filePool = new FilePool(files)
    const logs = new LogManager({
      context: {
        files,
        clock,
        scheduler,
        reactor,
        random,
        trace,
        filePool,
        tailCache: new TailCache(1 << 20),
      },
      clusterId: CLUSTER_ID,
      nodeId: node.id,
      logDirectories: ['/data'],
      // Small segments, so that snapshots can free some.
      configOf: () => logConfig({ segmentBytes: 2048, fileDeleteDelayMs: 0 }),
    })
    logs.open()
    const metadataFiles = logs.getOrCreate(
      { topic: '__cluster_metadata', partition: 0 },
      { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' },
    )
    if (metadataFiles === undefined) throw new Error('no metadata log')
    const loader = new MetadataLoader({ trace, name: node.name })
    const requestTimeoutMs = 2000
    const peers = new PeerClient({
      transport: runtime.transport,
      scheduler,
      clientId: node.name,
      requestTimeoutMs,
    })
    const log = new MetadataLog({
      nodeId: node.id,
      runtime,
      log: metadataFiles,
      clusterId: CLUSTER_ID,
      voters: Array.from({ length: this.#options.voters }, (_, index) => index + 1),
      addressOf: (nodeId) => ({ host: `node-${nodeId}`, port: 9093 }),
      peers,
      timeouts: this.#options.timeouts ?? {},
      limits: {
        ...DEFAULT_QUORUM_LIMITS,
        fetchMaxBytes: this.#options.fetchMaxBytes ?? DEFAULT_QUORUM_LIMITS.fetchMaxBytes,
      },
      listener: {
        onSnapshot: (content, id) => {
          this.#check(
            id.endOffset <= this.#committedEnd,
            `${node.name} got a snapshot of what is not committed`,
          )
          this.#check(id.endOffset >= life.nextOffset, `${node.name} got a snapshot of what it had`)
          loader.loadSnapshot(content, id)
          life.nextOffset = id.endOffset
        },
        onCommit: (batches) => this.#onCommit(node, life, batches),
        onHighWatermark: () => this.#onHighWatermark(node, life),
        onLeadership: ({ isLeader, leaderEpoch }) => this.#onLeadership(node, life, isLeader, leaderEpoch),
      },
    })
    const life: Life = {
      log,
      loader,
      waiting: [],
      nextOffset: metadataFiles.logStartOffset,
      highWatermark: 0,
      toldHighWatermarks: [],
      end: ({ losesUnsynced }) => {
        log.close()
        scheduler.close()
        world.network.kill(node.name)
        if (losesUnsynced) {
          logs.kill()
          machine.files.crash({ loseUnsynced: world.random.fork(`power ${node.name} ${node.lives}`) })
        } else logs.close({ brokerEpoch: 1 })
      },
    }
    node.life = life
    void runtime.transport.listen({ host: node.name, port: 9093, maxFrameBytes: 1 << 30 }, (link) =>
      serve(link, log),
    )
    this.events.push(`${this.#now()} start ${node.id}`)
    log.start()
  }

  crash(node: SimNode, options = { losesUnsynced: true }): void {
    this.events.push(`${this.#now()} crash ${node.id}`)
    node.life?.end(options)
    node.life = undefined
  }

  /** Lets the node resign and, when the others were told, ends it cleanly. */
  stop(node: SimNode): void {
    this.events.push(`${this.#now()} stop ${node.id}`)
    const { life } = node
    life?.log.resign()
    this.world.advance(100)
    if (node.life === life) this.crash(node, { losesUnsynced: false })
  }

  /** @returns the offset, when the node leads */
  append(node: SimNode): number | undefined {
    const { life } = node
    if (life === undefined || !life.log.isLeader) return undefined
    this.#keys += 1
    const key = `key-${this.#keys}`
    const record = metadataRecord('ConfigRecord', 0, {
      resourceType: 2,
      resourceName: 'topic',
      name: key,
      value: `of ${node.id}`,
    })
    const epoch = life.log.leaderEpoch
    const batch = METADATA_FORMAT.encodeBatch([record], {
      timestampMs: this.world.clock.wallMs(),
      leaderEpoch: epoch,
      producer: undefined,
    })
    const { error, lastOffset } = life.log.appendStateBatch(batch)
    if (error !== 0) throw new Error(`${node.name} refused an append with error ${error}`)
    life.waiting.push({ epoch, offset: lastOffset, key })
    return lastOffset
  }

  /** Makes a snapshot and forgets the log before it. */
  snapshot(node: SimNode): void {
    const { life } = node
    if (life === undefined || life.loader.image.offset < 1) return
    this.events.push(`${this.#now()} snapshot ${node.id} at ${life.nextOffset}`)
    const { id, buffers } = encodeImageSnapshot(life.loader.image, { nowMs: this.world.clock.wallMs() })
    life.log.writeSnapshot(id, buffers)
    const { log } = life.log
    if (log.logStartOffset < id.endOffset) {
      log.maybeIncrementLogStartOffset(id.endOffset)
      log.deleteOldSegments()
    }
    const files = node.disk as MemoryDisk
    cleanMetadataLog({ files, log, nowMs: this.world.clock.wallMs(), retentionMs: 0, retentionBytes: 0 })
  }

  /** What must hold whenever nothing is being done. */
  checkNow(): void {
    for (const { life, name } of this.nodes) {
      if (life === undefined) continue
      const { highWatermark, logEndOffset } = life.log
      this.#check(
        highWatermark >= life.highWatermark,
        `the high watermark of ${name} went back to ${highWatermark}`,
      )
      this.#check(highWatermark <= logEndOffset, `${name} has a high watermark beyond its log`)
      life.highWatermark = highWatermark
    }
  }

  /** That the logs of all living nodes hold what is committed, as far as they know of it. */
  checkLogs(): void {
    for (const { life, name } of this.nodes) {
      if (life === undefined) continue
      const { log } = life
      for (let offset = log.logStartOffset; offset < log.highWatermark; ) {
        const batches = log.readStateBatches(offset, 1)
        if (batches === undefined || batches.length === 0)
          throw new Error(`${name} cannot read offset ${offset}`)
        const cursor = new BatchCursor(batches)
        cursor.next()
        const { baseOffset, nextOffset } = cursor.batch
        if (nextOffset > log.highWatermark) break
        const known = this.#committed.get(baseOffset)
        this.#check(
          known?.equals(cursor.batch.slice()) === true,
          `${name} has another batch at offset ${baseOffset}`,
        )
        offset = nextOffset
      }
    }
  }

  /** The metadata of a node as bytes, to compare. */
  imageOf(node: SimNode): string {
    const { life } = node
    if (life === undefined) throw new Error(`${node.name} is down`)
    return Buffer.concat(encodeImageSnapshot(life.loader.image, { nowMs: 0 }).buffers).toString('base64')
  }

  holds(node: SimNode, key: string): boolean {
    return node.life?.loader.image.configsOf(2, 'topic')?.has(key) === true
  }

  #onCommit(node: SimNode, life: Life, batches: Buffer): void {
    const cursor = new BatchCursor(batches)
    while (cursor.next()) {
      const { batch } = cursor
      const { baseOffset, nextOffset } = batch
      this.#check(
        baseOffset === life.nextOffset,
        `${node.name} got offset ${baseOffset} and not ${life.nextOffset}`,
      )
      const known = this.#committed.get(baseOffset)
      if (known === undefined) this.#committed.set(baseOffset, Buffer.from(batch.slice()))
      else
        this.#check(known.equals(batch.slice()), `${node.name} has another committed batch at ${baseOffset}`)
      life.nextOffset = nextOffset
      this.#committedEnd = Math.max(this.#committedEnd, nextOffset)
    }
    life.loader.feed(batches)
  }

  #onHighWatermark(node: SimNode, life: Life): void {
    const { log } = life
    life.toldHighWatermarks.push(log.highWatermark)
    const isCommitted = (offset: number): boolean => offset < log.highWatermark
    for (const { epoch, offset, key } of life.waiting) {
      if (!isCommitted(offset)) continue
      this.#check(
        log.isLeader && log.leaderEpoch === epoch,
        `${node.name} answers for an epoch it does not lead`,
      )
      this.acknowledged.push({ offset, key })
    }
    life.waiting = life.waiting.filter(({ offset }) => !isCommitted(offset))
  }

  #onLeadership(node: SimNode, life: Life, isLeader: boolean, epoch: number): void {
    this.events.push(`${this.#now()} ${node.id} ${isLeader ? 'leads' : 'does not lead'} in epoch ${epoch}`)
    if (!isLeader) {
      life.waiting = []
      return
    }
    const other = this.#leaders.get(epoch)
    this.#check(
      other === undefined || other === node.id,
      `nodes ${other} and ${node.id} lead in epoch ${epoch}`,
    )
    this.#leaders.set(epoch, node.id)
  }

  #check(condition: boolean, message: string): void {
    if (!condition) throw new Error(message)
  }

  #now(): string {
    return this.world.clock.monotonicMs().toFixed(0)
  }
}

/** A controller listener: one request at a time, answered in the order of arrival. */
function serve(link: Link, metadataLog: MetadataLog): void {
  const waiting: Frame[] = []
  const onClosed = new Set<() => void>()
  let isBusy = false
  const next = (): void => {
    if (isBusy) return
    const frame = waiting.shift()
    if (frame === undefined) return
    isBusy = true
    const { header, api, reader } = decodeRequestHeader(frame)
    const request = decodeRequest(api, header.apiVersion, reader)
    const context = {
      apiVersion: header.apiVersion,
      broker: { metadataLog },
      connection: {
        listener: { kind: 'controller' },
        onClosed: (callback: () => void) => {
          onClosed.add(callback)
          return () => onClosed.delete(callback)
        },
      },
    }
    const answer = HANDLERS.get(api.key)?.handle(context as never, request as never)
    asDeferred(answer as unknown).whenDone((response) => {
      const { apiVersion: version, correlationId } = header
      link.send(encodeResponseFrame(api, { version, correlationId }, response as never))
      isBusy = false
      next()
    })
  }
  link.onFrame = (frame) => {
    waiting.push(frame)
    next()
  }
  link.onClose = () => {
    for (const callback of onClosed) callback()
  }
}
