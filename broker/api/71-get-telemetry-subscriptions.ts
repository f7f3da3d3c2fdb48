/**
 * Behaviour: tells a client which metrics to push, how often, and under which subscription id; gives it an instance id when it has none
 *   (KIP-714). Served but not advertised, as by a Kafka broker without a plugin that receives metrics.
 * Versions: v0.
 * Errors: THROTTLING_QUOTA_EXCEEDED when the client asks again before its push interval has passed.
 * Deviations: none.
 */
import { GetTelemetrySubscriptions } from '../../common/protocol/apis/71-get-telemetry-subscriptions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RequestOf, type ResponseInputOf, ZERO_UUID } from '../../common/protocol/schema.ts'
import { ACCEPTED_COMPRESSION_TYPES } from '../telemetry/client-telemetry.ts'
import { defineHandler } from './handler.ts'
import { telemetryClientOf } from './telemetry-client.ts'

type Request = RequestOf<typeof GetTelemetrySubscriptions>
type Response = ResponseInputOf<typeof GetTelemetrySubscriptions>

export const getTelemetrySubscriptions = defineHandler(GetTelemetrySubscriptions, {
  versions: '0',
  runsOn: 'any',
  handle: (context, request) => {
    const { telemetry } = context.broker
    const answer = telemetry.subscribe(telemetryClientOf(context), request.clientInstanceId)
    if (answer.error !== ErrorCode.NONE) return refuse(request, answer.error)
    const { clientInstanceId, subscription } = answer
    return {
      errorCode: ErrorCode.NONE,
      clientInstanceId,
      subscriptionId: subscription.id,
      acceptedCompressionTypes: [...ACCEPTED_COMPRESSION_TYPES],
      pushIntervalMs: subscription.pushIntervalMs,
      telemetryMaxBytes: telemetry.maxPushBytes,
      deltaTemporality: true,
      requestedMetrics: [...subscription.metrics],
    }
  },
  refuse,
})

function refuse(_request: Request, error: Exclude<ErrorCode, 0>): Response {
  return {
    errorCode: error,
    clientInstanceId: ZERO_UUID,
    subscriptionId: 0,
    acceptedCompressionTypes: [],
    pushIntervalMs: 0,
    telemetryMaxBytes: 0,
    deltaTemporality: false,
    requestedMetrics: [],
  }
}
