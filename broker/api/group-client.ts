/** How groups remember who asked: client id and address, as Kafka writes them. */
import type { MemberClient } from '../coordinator/group/group-state.ts'
import type { RequestContext } from '../network/request-context.ts'

export function memberClientOf({ clientId, connection }: RequestContext): MemberClient {
  return { clientId: clientId ?? '', clientHost: `/${connection.clientAddress}` }
}
