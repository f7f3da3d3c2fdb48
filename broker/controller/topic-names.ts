/**
 * What a topic may be called.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type ApiError, apiError, NO_ERROR } from './refusals.ts'

export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'
const MAX_NAME_LENGTH = 249
const LEGAL = /^[a-zA-Z0-9._-]+$/

export function checkTopicName(name: string): ApiError {
  const refused = (message: string): ApiError => apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, message)
  if (name === '') return refused('Topic name is invalid: the empty string is not allowed')
  if (name === '.' || name === '..') return refused(`Topic name is invalid: '${name}' is not allowed`)
  if (name.length > MAX_NAME_LENGTH) {
    return refused(
      `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`,
    )
  }
  if (!LEGAL.test(name)) {
    return refused(
      `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`,
    )
  }
  return NO_ERROR
}
