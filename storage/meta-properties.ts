/**
 * The two small files at the top of a log directory: `meta.properties`, which says whose directory it is, and
 * `.kafka_cleanshutdown`, which is there only while the directory is closed and complete.
 */
import type { FileSystem } from '../common/runtime/files.ts'

export const META_PROPERTIES_FILE = 'meta.properties'
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

/** The format of `meta.properties` that is written here. Kafka's directories of the time of ZooKeeper say 0. */
export const META_PROPERTIES_VERSION = 1

export interface MetaProperties {
  readonly version: number
  readonly clusterId: string | undefined
  readonly nodeId: number | undefined
  readonly directoryId: string | undefined
}

/** @returns undefined when the directory has not been formatted */
export function readMetaProperties(files: FileSystem, directory: string): MetaProperties | undefined {
  const path = `${directory}/${META_PROPERTIES_FILE}`
  if (files.stat(path) === undefined) return undefined
  const values = new Map<string, string>()
  for (const line of files.readFile(path).toString('utf8').split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^=:\s]*)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match) values.set(match[1] as string, match[2] as string)
  }
  const nodeId = Number(values.get('node.id') ?? values.get('broker.id') ?? Number.NaN)
  const version = Number(values.get('version') ?? 0)
  return {
    // What is no number is none that is known.
    version: Number.isInteger(version) ? version : META_PROPERTIES_VERSION + 1,
    clusterId: values.get('cluster.id'),
    nodeId: Number.isInteger(nodeId) ? nodeId : undefined,
    directoryId: values.get('directory.id'),
  }
}

export function writeMetaProperties(
  files: FileSystem,
  directory: string,
  properties: { clusterId: string; nodeId: number; directoryId: string },
): void {
  const lines = [
    '#',
    `node.id=${properties.nodeId}`,
    `directory.id=${properties.directoryId}`,
    `version=${META_PROPERTIES_VERSION}`,
    `cluster.id=${properties.clusterId}`,
  ]
  files.replaceFile(`${directory}/${META_PROPERTIES_FILE}`, `${lines.join('\n')}\n`)
}

/**
 * The broker epoch that the directory was closed with (-1 when it says none); undefined after an unclean end. It proves to
 * the controller that this replica lost nothing (KIP-966).
 */
export function readCleanShutdown(files: FileSystem, directory: string): number | undefined {
  const path = `${directory}/${CLEAN_SHUTDOWN_FILE}`
  if (files.stat(path) === undefined) return undefined
  const match = /"brokerEpoch"\s*:\s*(-?\d+)/.exec(files.readFile(path).toString('utf8'))
  return match ? Number(match[1]) : -1
}

export function writeCleanShutdown(files: FileSystem, directory: string, brokerEpoch: number): void {
  files.replaceFile(`${directory}/${CLEAN_SHUTDOWN_FILE}`, JSON.stringify({ version: 0, brokerEpoch }))
}

export function removeCleanShutdown(files: FileSystem, directory: string): void {
  files.remove(`${directory}/${CLEAN_SHUTDOWN_FILE}`)
}
