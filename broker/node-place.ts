/** Where the data of each node lies: on the machine's disk or on one in memory, in directories of Kafka's or in one of its own. */
import type { FileSystem } from '../common/runtime/files.ts'
import type { NodeRuntime } from '../common/runtime/node/runtime.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import { MemoryDisk } from '../common/runtime/sim/files.ts'
import { type MetaProperties, readMetaProperties } from '../storage/meta-properties.ts'
import type { ClusterOptions } from './cluster-options.ts'

/** Of the first node, unless its settings or its directory say otherwise. */
export const FIRST_NODE_ID = 1

export interface NodePlace {
  readonly nodeId: number
  readonly directories: readonly string[]
  /** What the first directory says of itself, when it is formatted. */
  readonly known: MetaProperties | undefined
}

/** Share of the machine's memory that the disks in memory of all brokers may take. Beyond it they are full, as Kafka's disk would be. */
const MEMORY_SHARE = 0.5

/** The file system of each node: the machine's, or a disk of its own in memory. */
export function disksOf(
  options: ClusterOptions,
  given: ReadonlyMap<string, string>,
  world: Runtime,
  brokerCount: number,
): (nodeId: number) => FileSystem {
  if (options.files !== undefined) return options.files
  if (options.dataDir !== undefined || given.has('log.dirs') || given.has('log.dir')) return () => world.files
  const disks = new Map<number, MemoryDisk>()
  const memoryBytes = 'memoryBytes' in world ? (world as NodeRuntime).memoryBytes : undefined
  const capacity =
    memoryBytes === undefined ? {} : { capacityBytes: Math.floor((memoryBytes * MEMORY_SHARE) / brokerCount) }
  return (nodeId) => {
    const disk =
      disks.get(nodeId) ??
      new MemoryDisk({
        post: (task) => world.reactor.post(task),
        clock: world.clock,
        trackUnsynced: options.loseTail === true,
        ...capacity,
      })
    disks.set(nodeId, disk)
    return disk
  }
}

/** A directory that Kafka wrote is taken as it is; else each broker has a directory of its own in the data directory. */
export function placeOf(
  options: ClusterOptions,
  given: ReadonlyMap<string, string>,
  disk: (nodeId: number) => FileSystem,
  index: number,
): NodePlace {
  const configured = given.get('log.dirs') ?? given.get('log.dir')
  const wantedId = Number(given.get('node.id') ?? given.get('broker.id') ?? FIRST_NODE_ID) + index
  const files = disk(wantedId)
  if (options.dataDir === undefined && configured !== undefined) {
    const directories = configured.split(',').map((directory) => directory.trim())
    const known = readMetaProperties(files, directories[0] as string)
    return { nodeId: given.has('node.id') ? wantedId : (known?.nodeId ?? wantedId), directories, known }
  }
  const root = options.dataDir ?? '/kafkito'
  const ownMeta = index === 0 ? readMetaProperties(files, root) : undefined
  if (ownMeta !== undefined)
    return { nodeId: ownMeta.nodeId ?? wantedId, directories: [root], known: ownMeta }
  const directory = `${root}/broker-${wantedId}`
  return { nodeId: wantedId, directories: [directory], known: readMetaProperties(files, directory) }
}
