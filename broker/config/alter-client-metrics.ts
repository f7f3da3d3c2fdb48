/**
 * Alterations of a client-metrics subscription (KIP-714), and its match patterns.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import {
  type AlterOperation,
  type AlterRefusal,
  type AlterResult,
  applyOperations,
  checkOperations,
  isRefused,
  noLists,
  refuse,
} from './alter.ts'
import { CLIENT_METRICS_TABLE } from './client-metrics.ts'
import type { ConfigRow } from './define.ts'
import type { ConfigTexts } from './levels.ts'
import { parseRow, splitList } from './values.ts'

const MIN_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 3_600_000

export const CLIENT_SELECTORS = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
] as const
export type ClientSelector = (typeof CLIENT_SELECTORS)[number]

function isSelector(text: string): text is ClientSelector {
  return (CLIENT_SELECTORS as readonly string[]).includes(text)
}

function tryPattern(source: string): RegExp | null {
  try {
    return new RegExp(`^(?:${source})$`)
  } catch {
    return null
  }
}

/** The patterns of `match`, which have to match a client's whole value; or the entry that is not one. */
export function parseMatchPatterns(
  text: string,
):
  | { readonly error: null; readonly patterns: ReadonlyMap<ClientSelector, RegExp> }
  | { readonly error: string } {
  const patterns = new Map<ClientSelector, RegExp>()
  for (const entry of splitList(text)) {
    const [selector = '', source = '', ...rest] = entry.split('=').map((part) => part.trim())
    const pattern = source === '' || rest.length > 0 ? null : tryPattern(source)
    if (pattern === null || !isSelector(selector)) {
      return { error: `Illegal client matching pattern: ${entry}` }
    }
    patterns.set(selector, pattern)
  }
  return { error: null, patterns }
}

function validateClientMetricsTexts(texts: ConfigTexts): AlterRefusal | null {
  const rows = new Map<string, ConfigRow>(Object.entries(CLIENT_METRICS_TABLE))
  for (const name of texts.keys()) {
    if (!rows.has(name)) {
      return refuse(ErrorCode.INVALID_REQUEST, `Unknown client metrics configuration: ${name}`)
    }
  }
  for (const [name, row] of rows) {
    const text = texts.get(name)
    const parsed = text === undefined ? null : parseRow(row, name, text)
    if (parsed !== null && parsed.error !== null) return refuse(ErrorCode.INVALID_CONFIG, parsed.error)
  }
  const interval = texts.get('interval.ms')
  if (interval !== undefined) {
    const intervalMs = Number(interval)
    if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
      return refuse(
        ErrorCode.INVALID_REQUEST,
        `Invalid value ${intervalMs} for interval.ms, interval must be between ${MIN_INTERVAL_MS} and ${MAX_INTERVAL_MS} (1 hour)`,
      )
    }
  }
  const match = parseMatchPatterns(texts.get('match') ?? '')
  return match.error === null ? null : refuse(ErrorCode.INVALID_CONFIG, match.error)
}

export interface ClientMetricsAlteration {
  readonly subscriptionName: string
  readonly current: ConfigTexts
  readonly operations: readonly AlterOperation[]
}

export function alterClientMetrics(alteration: ClientMetricsAlteration): AlterResult {
  const { subscriptionName, current, operations } = alteration
  const malformed = checkOperations(operations)
  if (malformed !== null) return malformed
  const applied = applyOperations(current, operations, noLists)
  if (isRefused(applied)) return applied
  if (subscriptionName === '') return refuse(ErrorCode.INVALID_REQUEST, "Subscription name can't be empty")
  return validateClientMetricsTexts(applied.newValues) ?? applied
}
