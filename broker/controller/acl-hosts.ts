/** Hosts of ACLs: any text, unless it has a slash: then it must be a network in CIDR notation, of IPv4 or IPv6. */
const OCTET = '(\\d{1,3})'
const IPV4_NETWORK = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}/(\\d{1,2})$`)
const IPV4_ADDRESS = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`)
const IPV4_BITS = 32
const IPV6_BITS = 128
const IPV6_GROUPS = 8

/** Kafka's text about a network that is none; undefined when there is nothing to say. */
export function cidrProblem(host: string): string | undefined {
  if (!host.includes('/')) return undefined
  const problem = host.includes(':') ? ipv6Problem(host) : ipv4Problem(host)
  return problem === undefined ? undefined : `Invalid CIDR notation '${host}': ${problem}`
}

function ipv4Problem(host: string): string | undefined {
  const numbers = IPV4_NETWORK.exec(host)?.slice(1).map(Number)
  if (numbers === undefined) return `Could not parse [${host}]`
  for (const [index, number] of numbers.entries()) {
    const highest = index < 4 ? 255 : IPV4_BITS
    if (number > highest) return `Value [${number}] not in range [0,${highest}]`
  }
  return undefined
}

function ipv6Problem(host: string): string | undefined {
  const slash = host.indexOf('/')
  const [address, prefix] = [host.slice(0, slash), host.slice(slash + 1)]
  const bits = Number(prefix)
  if (!/^[+-]?\d+$/.test(prefix) || Math.abs(bits) > 0x7fffffff) {
    return `Could not parse [${host}] - invalid prefix length`
  }
  if (bits < 0 || bits > IPV6_BITS) {
    return `Could not parse [${host}] - prefix length must be between 0 and 128`
  }
  const groups = ipv6Groups(address)
  if (groups === undefined) return `Could not parse [${address}]`
  // An IPv4 address in the clothes of IPv6 is one.
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return isMapped ? `Could not parse [${address}] - not an IPv6 address` : undefined
}

/** The eight groups of an address; a zone (`%eth0`) and brackets are left aside. */
function ipv6Groups(address: string): readonly number[] | undefined {
  const bare = /^\[.*\]$/.test(address) ? address.slice(1, -1) : address
  const [text = '', zone, ...more] = bare.split('%')
  if (zone === '' || more.length > 0) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [left, right] = halves.map((half, index) => groupsOf(half, index === halves.length - 1))
  if (left === undefined) return undefined
  if (halves.length === 1) return left.length === IPV6_GROUPS ? left : undefined
  const missing = right === undefined ? 0 : IPV6_GROUPS - left.length - right.length
  if (right === undefined || missing < 1) return undefined
  return [...left, ...new Array<number>(missing).fill(0), ...right]
}

/** The last group may be written as an IPv4 address. */
function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const words = text.split(':')
  for (const [index, word] of words.entries()) {
    const octets = IPV4_ADDRESS.exec(word)?.slice(1).map(Number)
    if (octets !== undefined && mayEndInIpv4 && index === words.length - 1) {
      if (octets.some((octet) => octet > 255)) return undefined
      const [first = 0, second = 0, third = 0, fourth = 0] = octets
      groups.push(first * 256 + second, third * 256 + fourth)
      continue
    }
    const group = /^[0-9a-f]+$/i.test(word) ? Number.parseInt(word, 16) : Number.NaN
    if (!(group <= 0xffff)) return undefined
    groups.push(group)
  }
  return groups
}
