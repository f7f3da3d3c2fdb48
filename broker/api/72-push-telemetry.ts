/**
 * Behaviour: takes the metrics of a client; the last push of each is kept in memory (KIP-714). Served but not advertised, as by a Kafka
 *   broker without a plugin that receives metrics.
 * Versions: v0.
 * Errors: INVALID_REQUEST for a reserved instance id or a push after the last one; THROTTLING_QUOTA_EXCEEDED for a push that comes too
 *   early, unless it is the last; UNKNOWN_SUBSCRIPTION_ID when the client must ask what to push; UNSUPPORTED_COMPRESSION_TYPE;
 *   TELEMETRY_TOO_LARGE beyond `telemetry.max.bytes`; INVALID_RECORD for what cannot be decompressed, or is longer than that then.
 * Deviations: none.
 */
import { PushTelemetry } from '../../common/protocol/apis/72-push-telemetry.ts'
import { defineHandler } from './handler.ts'
import { telemetryClientOf } from './telemetry-client.ts'

export const pushTelemetry = defineHandler(PushTelemetry, {
  versions: '0',
  runsOn: 'any',
  handle: (context, request) => ({
    errorCode: context.broker.telemetry.push(telemetryClientOf(context), request),
  }),
  refuse: (_request, error) => ({ errorCode: error }),
})
