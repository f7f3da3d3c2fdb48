/**
 * Which resource names DescribeConfigs accepts, with the sentence for those it refuses (INVALID_REQUEST). Whether a
 * topic's name is legal and the topic exists is decided elsewhere.
 */

/** The numbers of resource types in the config APIs. */
export const CONFIG_RESOURCE_TYPES = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

function brokerNameError(name: string, nodeId: number, mayBeEmpty: boolean): string | null {
  if (name === '') return mayBeEmpty ? null : 'Broker id must not be empty'
  const asked = Number(name)
  if (!/^[+-]?\d+$/.test(name) || asked !== (asked | 0))
    return `Broker id must be an integer, but it is: ${name}`
  if (asked === nodeId) return null
  const expected = mayBeEmpty ? `${nodeId} or empty string, but` : `${nodeId} but`
  return `Unexpected broker id, expected ${expected} received ${asked}`
}

/** Null when the name may be described; `nodeId` is the broker that answers. */
export function describedNameError(type: number, name: string, nodeId: number): string | null {
  switch (type) {
    case CONFIG_RESOURCE_TYPES.TOPIC:
      return null
    case CONFIG_RESOURCE_TYPES.BROKER:
      return brokerNameError(name, nodeId, true)
    case CONFIG_RESOURCE_TYPES.BROKER_LOGGER:
      return brokerNameError(name, nodeId, false)
    case CONFIG_RESOURCE_TYPES.CLIENT_METRICS:
      return name === '' ? 'Client metrics subscription name must not be empty' : null
    case CONFIG_RESOURCE_TYPES.GROUP:
      return name === '' ? 'Group name must not be empty' : null
    default:
      return 'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.'
  }
}
