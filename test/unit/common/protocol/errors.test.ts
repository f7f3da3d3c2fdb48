import { expect, it } from 'vitest'
import {
  ErrorCode,
  errorByCode,
  errorInfo,
  errorName,
  isErrorCode,
} from '../../../../common/protocol/errors.ts'

it('an error has a code, a name, a message and says whether trying again helps', () => {
  expect(ErrorCode.NOT_CONTROLLER).toBe(41)
  expect(errorName(ErrorCode.NOT_CONTROLLER)).toBe('NOT_CONTROLLER')
  expect(errorByCode.get(41)).toEqual({
    code: 41,
    name: 'NOT_CONTROLLER',
    isRetriable: true,
    message: 'This node is not the active controller.',
  })
})

it('a code from the future reads as an unknown server error', () => {
  expect(errorInfo(9999).name).toBe('UNKNOWN_SERVER_ERROR')
  expect([isErrorCode(0), isErrorCode(9999)]).toEqual([true, false])
})
