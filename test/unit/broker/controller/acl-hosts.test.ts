/** What Apache Kafka 4.4 answered for the same hosts. */
import { expect, it } from 'vitest'
import { cidrProblem } from '../../../../broker/controller/acl-hosts.ts'

it.each([
  '*',
  '1.2.3.4',
  'not a host!',
  '10.0.0.0/8',
  '10.0.0.5/24',
  '10.0.0.0/08',
  '010.0.0.0/8',
  '0.0.0.0/0',
  '255.255.255.255/32',
  '::/0',
  '::/-0',
  '1::/+8',
  '2001:db8::/128',
  '00001::/16',
  '1:2:3:4:5:6:7::/64',
  '::2:3:4:5:6:7:8/64',
  '1:2:3:4:5:6:1.2.3.4/64',
  '::1.2.3.4/96',
  '[::1]/64',
  '::1%5/8',
])('the host %s may stand in an ACL', (host) => {
  expect(cidrProblem(host)).toBeUndefined()
})

it.each([
  ['10.0.0.0/33', 'Value [33] not in range [0,32]'],
  ['10.0.0.256/33', 'Value [256] not in range [0,255]'],
  ['10.0.0.0/100', 'Could not parse [10.0.0.0/100]'],
  ['10.0.0/8', 'Could not parse [10.0.0/8]'],
  ['10.0.0.0/8/9', 'Could not parse [10.0.0.0/8/9]'],
  ['10.0.0.0/', 'Could not parse [10.0.0.0/]'],
  ['host/8', 'Could not parse [host/8]'],
  ['2001:db8:::/129', 'Could not parse [2001:db8:::/129] - prefix length must be between 0 and 128'],
  ['2001:db8::/-1', 'Could not parse [2001:db8::/-1] - prefix length must be between 0 and 128'],
  ['::/999999999999', 'Could not parse [::/999999999999] - invalid prefix length'],
  ['1::/8/9', 'Could not parse [1::/8/9] - invalid prefix length'],
  ['2001:db8:::/32', 'Could not parse [2001:db8:::]'],
  ['2001:db8::12345/32', 'Could not parse [2001:db8::12345]'],
  ['1:2:3:4:5:6:7:8::/64', 'Could not parse [1:2:3:4:5:6:7:8::]'],
  ['1:2:3:4:5:6:7:1.2.3.4/64', 'Could not parse [1:2:3:4:5:6:7:1.2.3.4]'],
  ['::1.2.3.256/96', 'Could not parse [::1.2.3.256]'],
  ['::1%/8', 'Could not parse [::1%]'],
  ['1:2/8', 'Could not parse [1:2]'],
  [':/8', 'Could not parse [:]'],
  ['::ffff:1.2.3.4/96', 'Could not parse [::ffff:1.2.3.4] - not an IPv6 address'],
])('the network %s may not', (host, problem) => {
  expect(cidrProblem(host)).toBe(`Invalid CIDR notation '${host}': ${problem}`)
})
