/**
 * Why a topic may not be called so, in Kafka's words.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { MAX_TOPIC_NAME_LENGTH, topicNameProblem } from '../topic-names.ts'
import { type ApiError, apiError, NO_ERROR } from './refusals.ts'

export function checkTopicName(name: string): ApiError {
  const reason = reasonAgainst(name)
  if (reason === undefined) return NO_ERROR
  return apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${reason}`)
}

function reasonAgainst(name: string): string | undefined {
  switch (topicNameProblem(name)) {
    case 'empty':
      return 'the empty string is not allowed'
    case 'dots':
      return `'${name}' is not allowed`
    case 'too-long':
      return `the length of '${name}' is longer than the max allowed length ${MAX_TOPIC_NAME_LENGTH}`
    case 'illegal-characters':
      return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
    case undefined:
      return undefined
  }
}
