/**
 * `listeners`, `advertised.listeners` and `listener.security.protocol.map`: from text to end points, with the checks
 * Kafka makes when it starts and when a listener is altered.
 */

export const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export type SecurityProtocol = (typeof SECURITY_PROTOCOLS)[number]
export type ProtocolMap = ReadonlyMap<string, SecurityProtocol>

export interface EndPoint {
  readonly listenerName: string
  readonly securityProtocol: SecurityProtocol
  /** Empty means the machine's own name; IPv6 addresses are without brackets. */
  readonly host: string
  readonly port: number
}

export type Parsed<Value> = { readonly error: null; readonly value: Value } | { readonly error: string }

const END_POINT = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/

function isSecurityProtocol(text: string): text is SecurityProtocol {
  return (SECURITY_PROTOCOLS as readonly string[]).includes(text)
}

/** `NAME:PROTOCOL` entries. Names are compared without regard to case. */
export function parseProtocolMap(text: string): Parsed<ProtocolMap> {
  const map = new Map<string, SecurityProtocol>()
  const key = 'listener.security.protocol.map'
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const colon = entry.lastIndexOf(':')
    if (colon < 0) {
      return {
        error: `Error parsing configuration property '${key}': begin 0, end -1, length ${entry.length}`,
      }
    }
    const protocol = entry.slice(colon + 1).trim()
    if (!isSecurityProtocol(protocol)) {
      return { error: `Invalid security protocol \`${protocol}\` defined in ${key}` }
    }
    map.set(entry.slice(0, colon).trim().toUpperCase(), protocol)
  }
  return { error: null, value: map }
}

function isIpv4(host: string): boolean {
  const parts = host.split('.')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
}

function isIpv6(host: string): boolean {
  return host.includes(':')
}

/** One port may serve two listeners if one is bound to an IPv4 and the other to an IPv6 address. */
function portError(entries: readonly string[], endPoints: readonly EndPoint[]): string | null {
  const shown = `[${entries.join(', ')}]`
  const byPort = groupByPort(endPoints)
  for (const [port, sharing] of byPort) {
    if (port === 0 || sharing.length === 1) continue
    const numeric = sharing.filter(({ host }) => isIpv4(host) || isIpv6(host))
    if (numeric.length === 0) return `Each listener must have a different port, listeners: ${shown}`
    const isPair = sharing.length === 2 && numeric.length === 2
    if (!isPair) {
      return `Each listener must have a different port unless exactly one listener has an IPv4 address and the other IPv6 address, listeners: ${shown}, port: ${port}`
    }
    if (isIpv6(sharing[0]?.host ?? '') === isIpv6(sharing[1]?.host ?? '')) {
      return `If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: ${shown}, port: ${port}`
    }
  }
  return null
}

function groupByPort(endPoints: readonly EndPoint[]): ReadonlyMap<number, readonly EndPoint[]> {
  const groups = new Map<number, EndPoint[]>()
  for (const endPoint of endPoints) {
    const group = groups.get(endPoint.port)
    if (group === undefined) groups.set(endPoint.port, [endPoint])
    else group.push(endPoint)
  }
  return groups
}

export interface ListenerRules {
  /** Advertised addresses may share ports, because a proxy may stand between. */
  readonly mustHaveDistinctPorts: boolean
}

/** The end points of `NAME://host:port` entries. */
export function parseListeners(
  entries: readonly string[],
  protocols: ProtocolMap,
  rules: ListenerRules = { mustHaveDistinctPorts: true },
): Parsed<readonly EndPoint[]> {
  const endPoints: EndPoint[] = []
  const shown = `[${entries.join(', ')}]`
  const refuse = (reason: string): Parsed<readonly EndPoint[]> => ({
    error: `Error creating broker listeners from '${shown}': ${reason}`,
  })
  for (const entry of entries) {
    if (!entry.includes('://')) return { error: `Unable to parse a listener name from ${entry}` }
    const match = END_POINT.exec(entry)
    if (match === null) return refuse(`Unable to parse ${entry} to a broker endpoint`)
    const listenerName = (match[1] ?? '').toUpperCase()
    const securityProtocol = protocols.get(listenerName)
    if (securityProtocol === undefined) {
      return refuse(`No security protocol defined for listener ${listenerName}`)
    }
    endPoints.push({ listenerName, securityProtocol, host: match[2] ?? '', port: Number(match[3]) })
  }
  if (new Set(endPoints.map(({ listenerName }) => listenerName)).size !== endPoints.length) {
    return refuse(`Each listener must have a different name, listeners: ${shown}`)
  }
  const sharedPort = rules.mustHaveDistinctPorts ? portError(entries, endPoints) : null
  return sharedPort === null ? { error: null, value: endPoints } : refuse(sharedPort)
}
