/**
 * A network on which brokers seem to lie: what comes back to a client goes through a `Mangler` first. What the client sends
 * reaches the broker as it is, so that the brokers of the tests stay well.
 */

import { frameOf, joinFrame } from '../../common/protocol/frame.ts'
import { decodeRequestHeader } from '../../common/protocol/header.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { Link, Transport } from '../../common/runtime/transport.ts'

/** One answer on its way to the client, header included. */
export interface Answer {
  readonly api: ApiSchema
  readonly version: number
  readonly bytes: Buffer
}

/** What arrives in place of an answer: any number of frames, nothing, or the end of the connection. */
export type Mangler = (answer: Answer) => readonly Buffer[] | 'disconnect'

/** @param onLink told of every connection */
export function hostileTransport(inner: Transport, mangle: Mangler, onLink: (link: Link) => void): Transport {
  return {
    listen: (options, onLink) => inner.listen(options, onLink),
    connect: (options) => {
      const link = hostileLink(inner.connect(options), mangle)
      onLink(link)
      return link
    },
  }
}

function hostileLink(link: Link, mangle: Mangler): Link {
  const asked = new Map<number, { readonly api: ApiSchema; readonly version: number }>()
  const send = link.send.bind(link)
  link.send = (frame) => {
    const { api, header } = decodeRequestHeader(Buffer.from(joinFrame(frame)))
    asked.set(header.correlationId, { api, version: header.apiVersion })
    send(frame)
  }
  let onFrame = link.onFrame
  let isClosed = false
  const destroy = link.destroy.bind(link)
  link.destroy = () => {
    isClosed = true
    destroy()
  }
  const received: Link['onFrame'] = (frame) => {
    // A copy: in memory both sides share the bytes, and the broker keeps some of them.
    const bytes = Buffer.from(joinFrame(frame))
    const correlationId = bytes.readInt32BE(0)
    const request = asked.get(correlationId)
    asked.delete(correlationId)
    const result = request === undefined ? [bytes] : mangle({ ...request, bytes })
    if (result === 'disconnect') {
      link.destroy()
      return
    }
    for (const part of result) if (!isClosed) onFrame(frameOf(part))
  }
  Object.defineProperty(link, 'onFrame', {
    get: () => received,
    set: (handler: Link['onFrame']) => {
      onFrame = handler
    },
  })
  return link
}
