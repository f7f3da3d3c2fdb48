/** Figures by client, their medians, and the table of them. */
import type { ClientName } from './worker.ts'

export interface Column {
  readonly client: ClientName
  readonly title: string
  readonly kind: 'ours' | 'javascript' | 'native'
}

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly isMoreBetter: boolean
}

interface Row {
  readonly name: string
  readonly unit: string
  readonly isMoreBetter: boolean
  readonly samples: Map<ClientName, number[]>
}

export class Results {
  readonly columns: readonly Column[]
  readonly rows = new Map<string, Row>()
  readonly failures: string[] = []

  constructor(columns: readonly Column[]) {
    this.columns = columns
  }

  note(client: ClientName, { name, unit, value, isMoreBetter }: Figure): void {
    let row = this.rows.get(name)
    if (row === undefined) {
      row = { name, unit, isMoreBetter, samples: new Map() }
      this.rows.set(name, row)
    }
    const samples = row.samples.get(client)
    if (samples === undefined) row.samples.set(client, [value])
    else samples.push(value)
  }

  failed(what: string): void {
    this.failures.push(what)
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function shown(value: number): string {
  if (Number.isNaN(value)) return ''
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2)
}

/** A ratio above 1 is in kafkito's favour, whatever the unit: against the best of the pure JavaScript clients, and the native one. */
export function markdownTable({ columns, rows, failures }: Results): string {
  const kinds = (['javascript', 'native'] as const).filter((kind) => columns.some((one) => one.kind === kind))
  const heads = kinds.map((kind) => (kind === 'native' ? 'to the native one' : 'to the best in JavaScript'))
  const cells: string[][] = [['', ...columns.map(({ title }) => title), ...heads]]
  for (const { name, unit, isMoreBetter, samples } of rows.values()) {
    const of = (client: ClientName): number => median(samples.get(client) ?? [])
    const ours = of('kafkito')
    const ratios = kinds.map((kind) => {
      const others = columns.filter((one) => one.kind === kind).map(({ client }) => of(client))
      const known = others.filter((value) => !Number.isNaN(value))
      const best = isMoreBetter ? Math.max(...known) : Math.min(...known)
      const ratio = isMoreBetter ? ours / best : best / ours
      return Number.isFinite(ratio) && ratio > 0 ? `${ratio.toFixed(2)} ×` : ''
    })
    cells.push([`${name} (${unit})`, ...columns.map(({ client }) => shown(of(client))), ...ratios])
  }
  const widths = (cells[0] ?? []).map((_, index) =>
    Math.max(3, ...cells.map((row) => row[index]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0))).join(' | ')} |`
  const ruler = widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [head = [], ...body] = cells
  const notes = failures.length === 0 ? [] : ['', ...failures.map((one) => `Not measured: ${one}.`)]
  return [line(head), line(ruler), ...body.map(line), ...notes].join('\n')
}
