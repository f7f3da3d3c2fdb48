/** Which offset `listOffsets` is to find. */
import { OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST, OFFSET_SPEC_MAX_TIMESTAMP } from '../../constants.ts'
import { ValueError } from '../../errors.ts'
import { wholeNumber } from '../../values/numbers.ts'

export abstract class OffsetSpec {
  static readonly EARLIEST = OFFSET_SPEC_EARLIEST
  static readonly LATEST = OFFSET_SPEC_LATEST
  static readonly MAX_TIMESTAMP = OFFSET_SPEC_MAX_TIMESTAMP
  /** As the protocol writes it: a timestamp in milliseconds, or one of the negative numbers. */
  abstract readonly timestamp: number

  /** The oldest record there is. */
  static earliest(): EarliestSpec {
    return earliestSpec
  }

  /** After the newest record; with read committed, the last stable offset. */
  static latest(): LatestSpec {
    return latestSpec
  }

  /** The record with the greatest timestamp (brokers from Kafka 3.0). */
  static maxTimestamp(): MaxTimestampSpec {
    return maxTimestampSpec
  }

  /** The first record at or after this time, in milliseconds. */
  static forTimestamp(timestampMs: number | bigint): TimestampSpec {
    return new TimestampSpec(timestampMs)
  }
}

export class EarliestSpec extends OffsetSpec {
  readonly timestamp = OFFSET_SPEC_EARLIEST
}

export class LatestSpec extends OffsetSpec {
  readonly timestamp = OFFSET_SPEC_LATEST
}

export class MaxTimestampSpec extends OffsetSpec {
  readonly timestamp = OFFSET_SPEC_MAX_TIMESTAMP
}

export class TimestampSpec extends OffsetSpec {
  readonly timestamp: number

  constructor(timestampMs: number | bigint) {
    super()
    this.timestamp = wholeNumber(timestampMs, 'timestamp')
    if (this.timestamp < 0) throw new ValueError('a timestamp must not be negative')
  }
}

const earliestSpec = new EarliestSpec()
const latestSpec = new LatestSpec()
const maxTimestampSpec = new MaxTimestampSpec()
