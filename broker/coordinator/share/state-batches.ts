/**
 * Delivery state of ranges of offsets as it is persisted: sorted, disjoint, neighbours of equal state joined.
 */
export interface StateBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  /** 0 available, 2 acknowledged, 4 archived. */
  readonly deliveryState: number
  readonly deliveryCount: number
}

/**
 * Lays newer batches over older ones and cuts off what lies before the start offset. Where both say something, the larger delivery
 * count holds, with equal counts the larger state.
 */
export function combineBatches(
  older: readonly StateBatch[],
  newer: readonly StateBatch[],
  startOffset: number,
): StateBatch[] {
  const all = [...older, ...newer].filter(({ firstOffset, lastOffset }) => firstOffset <= lastOffset)
  const edges = new Set<number>()
  for (const { firstOffset, lastOffset } of all) edges.add(firstOffset).add(lastOffset + 1)
  if (startOffset >= 0) edges.add(startOffset)
  const sortedEdges = [...edges].sort((left, right) => left - right)
  const byStart = [...all].sort((left, right) => left.firstOffset - right.firstOffset)
  const result: StateBatch[] = []
  let open: StateBatch[] = []
  let next = 0
  sortedEdges.forEach((firstOffset, index) => {
    const end = sortedEdges[index + 1]
    if (end === undefined) return
    open = open.filter((batch) => batch.lastOffset >= firstOffset)
    for (
      let batch = byStart[next];
      batch !== undefined && batch.firstOffset <= firstOffset;
      batch = byStart[next]
    ) {
      open.push(batch)
      next += 1
    }
    if (firstOffset < startOffset || open.length === 0) return
    const winner = open.reduce((best, batch) => (isStronger(batch, best) ? batch : best))
    append(result, { ...winner, firstOffset, lastOffset: end - 1 })
  })
  return result
}

function isStronger(left: StateBatch, right: StateBatch): boolean {
  return left.deliveryCount === right.deliveryCount
    ? left.deliveryState > right.deliveryState
    : left.deliveryCount > right.deliveryCount
}

function append(result: StateBatch[], batch: StateBatch): void {
  const last = result.at(-1)
  const isSame =
    last !== undefined &&
    last.lastOffset + 1 === batch.firstOffset &&
    last.deliveryState === batch.deliveryState &&
    last.deliveryCount === batch.deliveryCount
  if (isSame) result[result.length - 1] = { ...last, lastOffset: batch.lastOffset }
  else result.push(batch)
}
