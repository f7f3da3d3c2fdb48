/**
 * The parts of docs/deviations.md that follow from tables in the code. `npm run docs` writes them, `deviations.test.ts` holds them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unsupported } from '../../broker/api/unsupported.ts'
import { PROFILES } from '../../broker/config/profiles.ts'
import { type IneffectiveKey, ineffectiveKeys } from '../../broker/config/reference.ts'
import { ROOT } from './tree.ts'

const PAGE = join(ROOT, 'docs/deviations.md')
const SECTIONS: Readonly<Record<string, () => string>> = {
  requests: requestsSection,
  settings: settingsSection,
  profile: profileSection,
}

function list(entries: readonly (readonly [string, readonly string[]])[]): string {
  return entries
    .map(([reason, names]) => `- ${reason}\n  ${names.map((name) => `\`${name}\``).join(', ')}`)
    .join('\n')
}

function grouped<T>(
  items: readonly T[],
  reasonOf: (item: T) => string,
  nameOf: (item: T) => string,
): [string, string[]][] {
  const groups = new Map<string, string[]>()
  for (const item of items) {
    const names = groups.get(reasonOf(item)) ?? []
    names.push(nameOf(item))
    groups.set(reasonOf(item), names)
  }
  return [...groups]
}

function requestsSection(): string {
  return list(
    grouped(
      Object.entries(unsupported),
      ([, reason]) => reason,
      ([name]) => name,
    ),
  )
}

function settingsSection(): string {
  const keys = ineffectiveKeys()
  const name = (key: IneffectiveKey): string =>
    key.table === 'broker' ? key.name : `${key.name} (${key.table})`
  const ofKind = (kind: IneffectiveKey['kind']): string =>
    list(
      grouped(
        keys.filter((key) => key.kind === kind),
        ({ reason }) => reason,
        name,
      ),
    )
  return `Without effect:\n\n${ofKind('none')}\n\nWith part of their effect:\n\n${ofKind('part')}`
}

function profileSection(): string {
  const rows = Object.entries(PROFILES.test).map(([name, value]) => `- \`${name}=${value}\``)
  return rows.join('\n')
}

/** The page with its generated parts as the code has them now. */
export function renderedPage(page: string = readFileSync(PAGE, 'utf8')): string {
  return Object.entries(SECTIONS).reduce((text, [name, render]) => {
    const section = new RegExp(`(<!-- begin ${name} -->\n)[\\s\\S]*?(<!-- end ${name} -->)`)
    if (!section.test(text)) throw new Error(`docs/deviations.md has no section ${name}`)
    return text.replace(section, (_all, begin: string, end: string) => `${begin}\n${render()}\n\n${end}`)
  }, page)
}

export function writePage(): void {
  writeFileSync(PAGE, renderedPage())
}
