import { describe, expect, it } from 'vitest'
import type { TraceEvent } from '../../../../common/runtime/trace.ts'
import { TraceBus } from '../../../../common/runtime/trace-bus.ts'

const event = (level: TraceEvent['level'], kind = 'test'): TraceEvent => ({
  level,
  kind,
  message: 'Something happened.',
})

describe('a trace', () => {
  it('is enabled only while somebody wants debug events', () => {
    const trace = new TraceBus()
    expect(trace.enabled).toBe(false)
    const stopWarnings = trace.listen(() => {}, 'warn')
    expect(trace.enabled).toBe(false)
    const stop = trace.listen(() => {})
    expect(trace.enabled).toBe(true)
    stop()
    stop()
    expect(trace.enabled).toBe(false)
    stopWarnings()
  })

  it('gives each listener the events of its level and above', () => {
    const trace = new TraceBus()
    const seen: string[] = []
    trace.listen(({ level }) => seen.push(level), 'warn')
    for (const level of ['debug', 'info', 'warn', 'error'] as const) trace.emit(event(level))
    expect(seen).toEqual(['warn', 'error'])
  })

  it('takes a listener off that throws, and tells the others', () => {
    const trace = new TraceBus()
    const seen: string[] = []
    trace.listen(() => {
      throw new Error('broken')
    })
    trace.listen(({ kind }) => seen.push(kind))
    trace.emit(event('info', 'one'))
    trace.emit(event('info', 'two'))
    expect(seen).toEqual(['trace.listener-failed', 'one', 'two'])
  })
})
