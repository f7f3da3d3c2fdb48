/**
 * A seed folder: what shall be in a cluster before its clients come. `topics.jsonl`, `groups.jsonl`, `records/<topic>.jsonl` and scripts
 * (`*.mjs`), see docs/fixture.md. All of it is read and checked before anything is written.
 *
 * Limits: `MAX_FILES` files of `MAX_FILE_BYTES`, together `MAX_SEED_BYTES`.
 */
import { FileError, type FileSystem } from '../../common/runtime/files.ts'
import { StartError } from '../start-error.ts'
import { topicNameProblem } from '../topic-names.ts'
import type { RecordInput } from './records.ts'
import { type Place, SeedLine } from './seed-line.ts'
import type { TopicOptions } from './topic-handle.ts'

export interface SeedTopic {
  readonly place: Place
  readonly name: string
  readonly options: TopicOptions
}

export interface SeedRecord {
  readonly place: Place
  /** Of the line, about as long as the record. */
  readonly length: number
  readonly record: RecordInput
}

/** A committed offset of a group. */
export interface SeedOffset {
  readonly place: Place
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string | null
}

export interface Seed {
  readonly topics: readonly SeedTopic[]
  /** topic -> in the order of the file */
  readonly records: ReadonlyMap<string, readonly SeedRecord[]>
  readonly offsets: readonly SeedOffset[]
  /** Paths, in the order in which they run. */
  readonly scripts: readonly string[]
}

const TOPICS = 'topics.jsonl'
const GROUPS = 'groups.jsonl'
const RECORDS = 'records'
const LINES = '.jsonl'
const SCRIPT = '.mjs'

const MAX_FILES = 1_000
const MAX_FILE_BYTES = 64 << 20
const MAX_SEED_BYTES = 256 << 20

/** @throws StartError for what cannot be read or meant, with file and line */
export function readSeedFolder(files: FileSystem, directory: string): Seed {
  const folder = new Folder(files, directory)
  const names = folder.list('')
  const strange = names.find(
    (name) => ![TOPICS, GROUPS, RECORDS].includes(name) && !name.endsWith(SCRIPT) && !name.endsWith('.md'),
  )
  if (strange !== undefined)
    throw folder.error(
      `${directory}/${strange} is nothing that a seed folder has.`,
      `It has ${TOPICS}, ${GROUPS}, ${RECORDS}/<topic>${LINES}, scripts (*${SCRIPT}) and notes (*.md).`,
    )
  const records = new Map<string, readonly SeedRecord[]>()
  for (const name of names.includes(RECORDS) ? folder.list(RECORDS) : []) {
    const topic = name.slice(0, -LINES.length)
    if (!name.endsWith(LINES) || topicNameProblem(topic) !== undefined)
      throw folder.error(
        `${directory}/${RECORDS}/${name} belongs to no topic.`,
        `The records of the topic "orders" are in ${RECORDS}/orders${LINES}.`,
      )
    records.set(topic, folder.lines(`${RECORDS}/${name}`).map(recordOf))
  }
  return {
    topics: unique(names.includes(TOPICS) ? folder.lines(TOPICS).map(topicOf) : [], ({ name }) => name),
    records,
    offsets: unique(
      names.includes(GROUPS) ? folder.lines(GROUPS).map(offsetOf) : [],
      ({ group, topic, partition }) => `${topic}-${partition} of ${group}`,
    ),
    scripts: names.filter((name) => name.endsWith(SCRIPT)).map((name) => `${directory}/${name}`),
  }
}

class Folder {
  readonly #files: FileSystem
  readonly #directory: string
  #fileCount = 0
  #sizeBytes = 0

  constructor(files: FileSystem, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  /** Names, sorted; hidden ones, which mounted folders have, are left out. */
  list(name: string): readonly string[] {
    const path = this.#path(name)
    const found = this.#readable(path, () => this.#files.list(path)).filter((each) => !each.startsWith('.'))
    this.#fileCount += found.length
    if (this.#fileCount > MAX_FILES)
      throw this.error(`A seed folder has at most ${MAX_FILES} files; ${this.#directory} has more.`)
    return found
  }

  lines(name: string): readonly SeedLine[] {
    const path = this.#path(name)
    const sizeBytes = this.#readable(path, () => this.#files.stat(path))?.sizeBytes ?? 0
    this.#sizeBytes += sizeBytes
    if (sizeBytes > MAX_FILE_BYTES)
      throw this.error(`${path} has ${sizeBytes} bytes; a seed file has at most ${MAX_FILE_BYTES}.`)
    if (this.#sizeBytes > MAX_SEED_BYTES)
      throw this.error(`The files of ${this.#directory} have more than ${MAX_SEED_BYTES} bytes together.`)
    const text = this.#readable(path, () => this.#files.readFile(path)).toString('utf8')
    return text
      .replace(/^\uFEFF/, '')
      .split('\n')
      .flatMap((line, index) =>
        line.trim() === '' ? [] : [new SeedLine({ file: path, line: index + 1 }, line)],
      )
  }

  error(message: string, hint = 'Leave some out.'): StartError {
    return new StartError('INVALID_CONFIG', message, hint)
  }

  #path(name: string): string {
    return name === '' ? this.#directory : `${this.#directory}/${name}`
  }

  #readable<T>(path: string, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      const message = `The seed ${path} cannot be read: ${error.message}`
      throw new StartError('INVALID_CONFIG', message, 'Check the path of the seed folder.', { cause: error })
    }
  }
}

function topicOf(line: SeedLine): SeedTopic {
  const partitions = line.wholeNumber('partitions', 1)
  const replicas = line.wholeNumber('replicas', 1)
  const configs = line.settings('configs')
  const topic = {
    place: line.place,
    name: topicNameIn(line, 'name'),
    options: {
      ...(partitions === undefined ? {} : { partitions }),
      ...(replicas === undefined ? {} : { replicas }),
      ...(configs === undefined ? {} : { configs }),
    },
  }
  line.end()
  return topic
}

function recordOf(line: SeedLine): SeedRecord {
  const keyBytes = line.bytesOfBase64('keyBase64')
  const valueBytes = line.bytesOfBase64('valueBase64')
  const key = line.textOrNull('key')
  const value = line.value('value') as RecordInput['value']
  if (keyBytes !== undefined && key !== null) throw line.error('"key" and "keyBase64" exclude each other.')
  if (valueBytes !== undefined && value !== undefined)
    throw line.error('"value" and "valueBase64" exclude each other.')
  const headers = line.pairs('headers')
  const partition = line.wholeNumber('partition')
  const timestamp = line.wholeNumber('timestamp')
  line.end()
  return {
    place: line.place,
    length: line.length,
    record: {
      key: keyBytes ?? key,
      value: valueBytes ?? value ?? null,
      ...(headers === undefined ? {} : { headers }),
      ...(partition === undefined ? {} : { partition }),
      ...(timestamp === undefined ? {} : { timestamp }),
    },
  }
}

function offsetOf(line: SeedLine): SeedOffset {
  const partition = line.wholeNumber('partition') ?? 0
  const offset = line.wholeNumber('offset')
  if (offset === undefined) throw line.error('"offset" is missing: the next one that the group reads.')
  const committed = {
    place: line.place,
    group: line.text('group'),
    topic: topicNameIn(line, 'topic'),
    partition,
    offset,
    metadata: line.textOrNull('metadata'),
  }
  line.end()
  return committed
}

function topicNameIn(line: SeedLine, field: string): string {
  const name = line.text(field)
  if (topicNameProblem(name) !== undefined) throw line.error(`No topic can be called "${name}".`)
  return name
}

/** @throws StartError for what is said twice */
function unique<T extends { readonly place: Place }>(
  entries: readonly T[],
  nameOf: (entry: T) => string,
): readonly T[] {
  const seen = new Map<string, Place>()
  for (const entry of entries) {
    const name = nameOf(entry)
    const { file, line } = entry.place
    const before = seen.get(name)
    if (before !== undefined)
      throw new StartError(
        'INVALID_CONFIG',
        `${file}:${line}: ${name} is in line ${before.line} already.`,
        'Leave one of them out.',
      )
    seen.set(name, entry.place)
  }
  return entries
}
