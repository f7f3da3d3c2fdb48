import { describe, expect, it } from 'vitest'
import { createTopics } from '../../../../broker/api/19-create-topics.ts'
import type { Handler } from '../../../../broker/api/handler.ts'
import type { ConnectionInfo } from '../../../../broker/network/connection-info.ts'
import { type ControllerForwarder, Router } from '../../../../broker/network/router.ts'
import type { BrokerServices } from '../../../../broker/services.ts'
import { CreateTopics } from '../../../../common/protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { encodeRequestFrame } from '../../../../common/protocol/header.ts'
import type { ApiSchema } from '../../../../common/protocol/schema.ts'
import { Deferred } from '../../../../common/runtime/deferred.ts'

const VERSION = 7
const NEXT_ANSWER = { throttleTimeMs: 0, topics: [] }

/** The controller takes the request and is deposed before what it wrote was committed. */
const deposedHandler = {
  ...createTopics,
  handle: (_context: unknown, request: never) =>
    createTopics.refuse(request, ErrorCode.NOT_CONTROLLER, undefined, VERSION),
} as unknown as Handler<ApiSchema>

function ask(listenerKind: 'broker' | 'controller', next: readonly (typeof NEXT_ANSWER | undefined)[]) {
  const answers = [...next]
  const forwarder: ControllerForwarder = {
    forward: () => {
      const answer = answers.shift()
      return answer === undefined ? undefined : Deferred.of<{ answer: unknown } | undefined>({ answer })
    },
  }
  const broker = {
    nodeId: 1,
    quotas: { isActive: false },
    runtime: { clock: { monotonicMs: () => 0 }, trace: { enabled: false } },
  }
  const router = new Router(broker as unknown as BrokerServices, [deposedHandler], forwarder)
  const connection = { id: 'c', listener: { kind: listenerKind }, principal: { type: 'User', name: 'a' } }
  const topic = { name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const frame = encodeRequestFrame(
    CreateTopics,
    { version: VERSION, correlationId: 1, clientId: 'a' },
    { topics: [topic], timeoutMs: 1000 },
  )
  return { router, connection: connection as unknown as ConnectionInfo, frame }
}

describe('requests of a controller that is deposed while they wait', () => {
  it('a broker asks the next controller rather than telling the client of the change', () => {
    const { router, connection, frame } = ask('broker', [undefined, NEXT_ANSWER])
    expect(router.dispatch(connection, frame)?.answer.value).toBe(NEXT_ANSWER)
  })

  it('a client is told when this node is the next controller too', () => {
    const { router, connection, frame } = ask('broker', [undefined, undefined])
    expect(router.dispatch(connection, frame)?.answer.value).toMatchObject({
      topics: [{ name: 'orders', errorCode: ErrorCode.NOT_CONTROLLER }],
    })
  })

  it('a client of the controller itself is told at once', () => {
    const { router, connection, frame } = ask('controller', [undefined, NEXT_ANSWER])
    expect(router.dispatch(connection, frame)?.answer.value).toMatchObject({
      topics: [{ name: 'orders', errorCode: ErrorCode.NOT_CONTROLLER }],
    })
  })

  it('an envelope with such a request is refused whole, so that its broker asks again elsewhere', () => {
    const { router, connection, frame } = ask('controller', [undefined])
    expect(router.dispatchForwarded(connection, frame).value).toBe(ErrorCode.NOT_CONTROLLER)
  })
})
