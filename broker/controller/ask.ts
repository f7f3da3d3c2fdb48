/**
 * How the handlers of controller APIs ask it: the outcome of an operation, or the refusal of a node that does not lead.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { RequestContext } from '../network/request-context.ts'
import type { ControllerMachine } from './machine.ts'
import type { ControllerOutcome } from './refusals.ts'

type Refuse<Response> = (error: Exclude<ErrorCode, 0>) => Response

/** Changes the metadata; the answer comes when it is committed. */
export function writeMetadata<Response>(
  context: RequestContext,
  label: string,
  operation: (machine: ControllerMachine) => ControllerOutcome<Response>,
  refuse: Refuse<Response>,
): Deferred<Response> {
  const { controller } = context.broker
  if (controller === undefined) return Deferred.of(refuse(ErrorCode.NOT_CONTROLLER))
  return controller
    .write(label, operation)
    .map((result) => (result.error === ErrorCode.NONE ? result.value : refuse(result.error)))
}

/**
 * The time of a controller operation is the time by which it must have begun, not what its effect may take: one that is given
 * none is never begun.
 */
export function leavesNoTime({ timeoutMs }: { readonly timeoutMs: number }): boolean {
  return timeoutMs <= 0
}
