/**
 * The source tree as the tidy tests see it: files, their imports, their code without comments.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export interface Import {
  /** Path in the tree for relative imports, the specifier for packages and built-ins. */
  readonly target: string
  readonly isRelative: boolean
  readonly isTypeOnly: boolean
}

export interface SourceFile {
  readonly path: string
  readonly text: string
  /** The text with comments blanked and the contents of strings kept. */
  readonly code: string
  readonly imports: readonly Import[]
}

/** All TypeScript files under a folder of the tree, sorted; none when there is no such folder. */
export function filesUnder(folder: string): string[] {
  const absolute = join(ROOT, folder)
  if (!existsSync(absolute)) return []
  const entries = readdirSync(absolute, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => posix.normalize(relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/')))
    .filter((path) => !path.includes('node_modules/'))
    .sort()
}

const TOKENS = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g

/** Comments become spaces, so that positions and lines stay. Strings are read over, since they may hold comment signs. */
export function withoutComments(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith('/') ? token.replace(/[^\n]/g, ' ') : token))
}

/** Comments and the contents of plain strings become spaces: what is left is code. */
export function codeOnly(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith('`') ? token : token.replace(/[^\n]/g, ' ')))
}

const IMPORT = /^(?:import|export)\b(\s+type\b)?([^'";]*?)(?:\bfrom\s*)?(['"])([^'"\n]+)\3/gm
const DYNAMIC_IMPORT = /\bimport\(\s*(['"])([^'"\n]+)\1\s*\)/g

function importsOf(path: string, code: string): Import[] {
  const resolve = (specifier: string): Pick<Import, 'target' | 'isRelative'> =>
    specifier.startsWith('.')
      ? { target: posix.normalize(posix.join(posix.dirname(path), specifier)), isRelative: true }
      : { target: specifier, isRelative: false }
  const found: Import[] = []
  for (const [statement, type, clause = '', , specifier = ''] of code.matchAll(IMPORT)) {
    if (!statement.startsWith('import') && !/\bfrom\s*['"]/.test(statement)) continue
    found.push({ ...resolve(specifier), isTypeOnly: type !== undefined || hasOnlyTypes(clause) })
  }
  for (const [, , specifier = ''] of code.matchAll(DYNAMIC_IMPORT)) {
    found.push({ ...resolve(specifier), isTypeOnly: false })
  }
  return found
}

/** `{ type A, type B }`: every name says that it is a type. */
function hasOnlyTypes(clause: string): boolean {
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1]
  if (names === undefined) return false
  const parts = names.split(',').filter((name) => name.trim() !== '')
  return parts.length > 0 && parts.every((name) => /^\s*type\s/.test(name))
}

export function parseSource(path: string, text: string): SourceFile {
  const code = withoutComments(text)
  return { path, text, code, imports: importsOf(path, code) }
}

export function readSource(path: string): SourceFile {
  return parseSource(path, readFileSync(join(ROOT, path), 'utf8'))
}

export const SOURCE_FOLDERS: readonly string[] = ['broker', 'common', 'storage', 'client', 'cli', 'connect']

export function readSources(folders: readonly string[] = SOURCE_FOLDERS): SourceFile[] {
  return folders.flatMap((folder) => filesUnder(folder).map(readSource))
}
