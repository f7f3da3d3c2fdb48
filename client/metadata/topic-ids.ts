/** Topics by their ids (KIP-516), for requests that name them so from some version on. */
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { MetadataCache } from './metadata-cache.ts'

/** Name to id; undefined unless every topic's is known: the request must then be of a version with names. */
export function topicIds(
  cache: MetadataCache,
  names: Iterable<string>,
): ReadonlyMap<string, string> | undefined {
  const ids = new Map<string, string>()
  for (const name of names) {
    const id = cache.topic(name)?.topicId
    if (id === undefined || id === ZERO_UUID) return undefined
    ids.set(name, id)
  }
  return ids
}

/** The name behind an entry of an answer, which has a name or an id. */
export function topicNameOf(
  entry: { readonly name: string; readonly topicId: string },
  ids: ReadonlyMap<string, string> | undefined,
): string {
  if (entry.name !== '' || ids === undefined) return entry.name
  for (const [name, id] of ids) if (id === entry.topicId) return name
  return ''
}
