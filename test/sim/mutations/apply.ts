/** Puts one mutation into a tree of sources. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutation } from './mutations.ts'

/** @returns the source with the mutation in it @throws Error when the place is not found exactly once */
export function mutated(source: string, { name, file, find, replace }: Mutation): string {
  const parts = source.split(find)
  if (find === '' || parts.length !== 2)
    throw new Error(`"${name}": its place is ${find === '' ? 0 : parts.length - 1} times in ${file}`)
  return parts.join(replace)
}

/** @returns a function that takes it back */
export function apply(root: string, mutation: Mutation): () => void {
  const path = join(root, mutation.file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, mutated(source, mutation))
  return () => writeFileSync(path, source)
}
