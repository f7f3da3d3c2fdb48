/**
 * UpdateFeatures: finalizes other levels of features (KIP-584, KIP-778).
 *
 * Behaviour: all updates of a request or none; a level is finalized only when all brokers and controllers support it.
 * Versions: v0-v2; v1 knows upgrade types and `validateOnly`, v2 answers once for all.
 * Errors: INVALID_UPDATE_VERSION; NOT_CONTROLLER.
 * Deviations: `kraft.version` cannot be changed; dependencies between features are not checked.
 */
import { UpdateFeatures } from '../../common/protocol/apis/57-update-features.ts'
import { errorInfo } from '../../common/protocol/errors.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as features from '../controller/features.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof UpdateFeatures>['refuse'] = (
  _,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({ errorCode, errorMessage })

export const updateFeatures = defineHandler(UpdateFeatures, {
  versions: '0-2',
  runsOn: 'controller',
  handle(context, request) {
    return writeMetadata(
      context,
      'UpdateFeatures',
      (machine) => features.updateFeatures(machine, request, context.apiVersion),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
