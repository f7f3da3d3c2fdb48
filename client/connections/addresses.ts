/** `bootstrap.servers`: `host[:port]` separated by commas, IPv6 in brackets, an optional `PROTOCOL://` before each. */
import type { Address } from '../../common/runtime/transport.ts'
import { invalid } from '../config/parse.ts'

const defaultPort = 9092

/** None is allowed: nothing is an empty list. Throws `_INVALID_ARG` for what is no address, or names another protocol. */
export function parseBootstrapServers(text: string | undefined, securityProtocol: string): Address[] {
  const addresses: Address[] = []
  for (const entry of (text ?? '').split(',')) {
    const trimmed = entry.trim()
    if (trimmed !== '') addresses.push(parseAddress(trimmed, securityProtocol))
  }
  return addresses
}

function parseAddress(entry: string, securityProtocol: string): Address {
  const prefix = /^([a-z0-9_]+):\/\//i.exec(entry)
  if (prefix?.[1] !== undefined && prefix[1].toLowerCase() !== securityProtocol) {
    throw invalid(
      `Property "bootstrap.servers": "${entry}" contradicts "security.protocol=${securityProtocol}"`,
    )
  }
  const rest = prefix === null ? entry : entry.slice(prefix[0].length)
  const match = /^(?:\[([^\]]+)\]|([^:]+)|([0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*))(?::(\d+))?$/i.exec(rest)
  const host = match?.[1] ?? match?.[2] ?? match?.[3]
  const port = match?.[4] === undefined ? defaultPort : Number(match[4])
  if (host === undefined || port < 1 || port > 65535) {
    throw invalid(`Property "bootstrap.servers": "${entry}" is not host[:port]`)
  }
  return { host, port }
}
