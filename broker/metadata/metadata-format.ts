/**
 * Batches of metadata records, as the controller appends them to `__cluster_metadata-0` and everybody reads them.
 */
import { BatchView } from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import { RecordReader } from '../../common/record/record-reader.ts'
import type { StateRecordFormat } from '../statemachine/state-machine.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from './metadata-record.ts'

export const METADATA_FORMAT: StateRecordFormat<MetadataRecord> = {
  encodeBatch(records, { timestampMs, leaderEpoch }) {
    const builder = new BatchBuilder({ partitionLeaderEpoch: leaderEpoch, initialBytes: records.length * 96 })
    for (const record of records) builder.append(timestampMs, null, encodeMetadataRecord(record))
    return builder.build()
  },

  /** Control batches (leader change, snapshot header and footer, KRaft version, voters) belong to the quorum: passed over. */
  decodeBatch(buffer, position, visitor) {
    const batch = new BatchView(buffer, position)
    if (batch.isControl) return
    const reader = new RecordReader(batch)
    while (reader.next()) {
      const value = reader.value
      const record = value === null ? 'a metadata record without value' : decodeMetadataRecord(value)
      if (typeof record === 'string') {
        visitor.onUnknown(record, reader.offset)
      } else {
        visitor.onRecord(record, {
          offset: reader.offset,
          timestampMs: reader.timestamp,
          producerId: -1,
          producerEpoch: -1,
        })
      }
    }
    if (reader.error !== 0) visitor.onUnknown(`a damaged batch (${reader.errorMessage})`, batch.baseOffset)
  },
}
