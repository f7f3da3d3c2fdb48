/**
 * Java's `.properties` format: `key=value`, `key: value` or `key value`, comments with `#` or `!`, a backslash that
 * continues a line, and the escapes \t \n \r \f \\ \uXXXX. The last of two equal keys wins.
 */

const BLANK = /[ \t\f]/

/** An odd number of backslashes at the end continues the line. */
function isContinued(line: string): boolean {
  let count = 0
  for (let at = line.length - 1; at >= 0 && line[at] === '\\'; at -= 1) count += 1
  return count % 2 === 1
}

function trimStart(line: string): string {
  return line.replace(/^[ \t\f]+/, '')
}

/** Physical lines joined to logical ones; comments and blank lines left out. A comment never continues. */
function logicalLines(text: string): string[] {
  const logical: string[] = []
  let open: string | null = null
  for (const physical of text.split(/\r\n|\n|\r/)) {
    const line = trimStart(physical)
    if (open === null && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const whole: string = (open ?? '') + line
    open = isContinued(line) ? whole.slice(0, -1) : null
    if (open === null) logical.push(whole)
  }
  if (open !== null) logical.push(open)
  return logical
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string): { readonly text: string; readonly error: string | null } {
  let error: string | null = null
  const plain = text.replace(
    /\\(?:u([0-9a-fA-F]{4})|([\s\S])|$)/g,
    (_all, unicode?: string, other?: string) => {
      if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode, 16))
      if (other === undefined) return ''
      if (other === 'u') error = 'Malformed \\uxxxx encoding.'
      return ESCAPES[other] ?? other
    },
  )
  return { text: plain, error }
}

/** Where the key ends and the value begins: the first unescaped `=`, `:` or blank. */
function splitLine(line: string): readonly [string, string] {
  let end = 0
  while (end < line.length) {
    const character = line[end] ?? ''
    if (character === '\\') end += 2
    else if (character === '=' || character === ':' || BLANK.test(character)) break
    else end += 1
  }
  const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return [line.slice(0, end), rest]
}

export interface ParsedProperties {
  readonly properties: ReadonlyMap<string, string>
  readonly errors: readonly string[]
}

export function parseProperties(text: string): ParsedProperties {
  const properties = new Map<string, string>()
  const errors: string[] = []
  for (const line of logicalLines(text)) {
    const [rawKey, rawValue] = splitLine(line)
    const key = unescaped(rawKey)
    const value = unescaped(rawValue)
    const error = key.error ?? value.error
    if (error !== null) errors.push(`${line}: ${error}`)
    else properties.set(key.text, value.text)
  }
  return { properties, errors }
}
