/** Who watches what clients ask beside the faults of a test, and may let an answer wait. */
import type { Deferred } from '../../common/runtime/deferred.ts'
import type { Answer } from '../api/handler.ts'
import type { InterceptedRequest } from '../network/interception.ts'

export type Reply = Deferred<Answer<unknown>>

/** Sees a request of a client when it has been started. @returns the answer, which may come later than the one given */
export type Companion = (exchange: InterceptedRequest, reply: Reply) => Reply
