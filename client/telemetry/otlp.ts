/** OpenTelemetry's `MetricsData` as protobuf bytes, as far as pushed metrics need it (KIP-714): sums and gauges of doubles. */

export interface Metric {
  readonly name: string
  /** A sum that only grows; otherwise a gauge. */
  readonly isSum: boolean
  readonly points: readonly MetricPoint[]
}

export interface MetricPoint {
  readonly value: number
  readonly attributes: Readonly<Record<string, string>>
}

export interface MetricsEnvelope {
  /** Of the client: `group_id` and the like. */
  readonly resource: Readonly<Record<string, string>>
  readonly startWallMs: number
  readonly wallMs: number
  /** Sums tell what was added since `startWallMs`, not since the client began. */
  readonly isDelta: boolean
}

const wire = { varint: 0, fixed64: 1, bytes: 2 } as const
const temporality = { delta: 1, cumulative: 2 } as const

/** The `MetricsData` message that PushTelemetry carries (KIP-714), uncompressed. */
export function encodeMetrics(metrics: readonly Metric[], envelope: MetricsEnvelope): Buffer {
  const scopeMetrics = metrics.map((metric) => field(2, encodeMetric(metric, envelope)))
  const resource = Buffer.concat(attributesOf(envelope.resource, 1))
  return field(1, field(1, resource), field(2, ...scopeMetrics))
}

function encodeMetric({ name, isSum, points }: Metric, envelope: MetricsEnvelope): Buffer {
  const data = points.map((point) => field(1, encodePoint(point, envelope)))
  if (!isSum) return Buffer.concat([field(1, Buffer.from(name)), field(5, ...data)])
  const kind = envelope.isDelta ? temporality.delta : temporality.cumulative
  const sum = field(7, ...data, key(2, wire.varint), varint(kind), key(3, wire.varint), varint(1))
  return Buffer.concat([field(1, Buffer.from(name)), sum])
}

function encodePoint({ value, attributes }: MetricPoint, { startWallMs, wallMs }: MetricsEnvelope): Buffer {
  const double = Buffer.alloc(8)
  double.writeDoubleLE(value)
  return Buffer.concat([
    ...[key(2, wire.fixed64), nanos(startWallMs), key(3, wire.fixed64), nanos(wallMs)],
    ...[key(4, wire.fixed64), double],
    ...attributesOf(attributes, 7),
  ])
}

function attributesOf(attributes: Readonly<Record<string, string>>, number: number): Buffer[] {
  return Object.entries(attributes).map(([name, text]) =>
    field(number, field(1, Buffer.from(name)), field(2, field(1, Buffer.from(text)))),
  )
}

function nanos(wallMs: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(Math.round(wallMs)) * 1_000_000n)
  return bytes
}

function field(number: number, ...parts: readonly Buffer[]): Buffer {
  const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat([key(number, wire.bytes), varint(sizeBytes), ...parts])
}

function key(number: number, type: number): Buffer {
  return varint(number * 8 + type)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  while (left >= 0x80) {
    bytes.push((left % 0x80) + 0x80)
    left = Math.floor(left / 0x80)
  }
  bytes.push(left)
  return Buffer.from(bytes)
}
