/** Counters of one broker, as the statistics document shows them. Bytes, counts, and windows in microseconds. */
import { Window } from '../statistics/window.ts'
import { Totals } from '../telemetry/totals.ts'

export class BrokerMetrics {
  tx = 0
  txBytes = 0
  txErrors = 0
  txRetries = 0
  requestTimeouts = 0
  rx = 0
  rxBytes = 0
  rxErrors = 0
  /** Answers to other requests than the oldest. */
  correlationErrors = 0
  /** Monotonic; undefined before the first. */
  sentAtMs: number | undefined
  receivedAtMs: number | undefined
  connects = 0
  disconnects = 0
  readonly requests = new Map<string, number>()
  readonly intLatency = new Window()
  readonly outbufLatency = new Window()
  readonly rtt = new Window()
  /** Milliseconds. */
  readonly throttle = new Window()
  /** The same in milliseconds, for pushed metrics: request to answer, and record to request. */
  readonly requestTimes = new Totals()
  readonly queueTimes = new Totals()

  sent(apiName: string, sizeBytes: number): void {
    this.tx++
    this.txBytes += sizeBytes
    this.requests.set(apiName, (this.requests.get(apiName) ?? 0) + 1)
  }
}
