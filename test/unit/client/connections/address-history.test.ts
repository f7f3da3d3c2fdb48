import { describe, expect, it } from 'vitest'
import { AddressHistories, ResolvedAddresses } from '../../../../client/connections/address-history.ts'
import { SeededRandom } from '../../../../common/runtime/seeded-random.ts'

const all = ['10.0.0.1', '10.0.0.2', '::1']

describe('the addresses of a host name', () => {
  it('are tried in the order of the resolver at first', () => {
    expect(new ResolvedAddresses().inOrder(all)).toEqual(all)
  })

  it('that were missed are tried last', () => {
    const resolved = new ResolvedAddresses()
    resolved.missed('10.0.0.1')
    expect(resolved.inOrder(all)).toEqual(['10.0.0.2', '::1', '10.0.0.1'])
  })

  it('that took the connection and led nowhere are tried last, until they are all that is left', () => {
    const resolved = new ResolvedAddresses()
    for (const address of all) {
      expect(resolved.inOrder(all)[0]).toBe(address)
      resolved.reached(address)
      resolved.ledNowhere()
    }
    expect(resolved.inOrder(all)).toEqual(all)
  })

  it('are in good repute again once they are reached', () => {
    const resolved = new ResolvedAddresses()
    resolved.missed('10.0.0.1')
    resolved.reached('10.0.0.1')
    expect(resolved.inOrder(all)).toEqual(all)
  })
})

describe('the history of an address', () => {
  const histories = (): AddressHistories =>
    new AddressHistories({
      firstMs: 100,
      maxMs: 1000,
      jitterDown: 0,
      jitterUp: 0,
      random: new SeededRandom(1),
    })
  const address = { host: 'broker', port: 9092 }

  it('asks for a pause that doubles with each failure in a row', () => {
    const history = histories().of(address, 'ordinary')
    const pauses = [0, 0, 0, 0, 0].map(() => {
      history.failed(5000)
      return history.pauseLeftMs(5000)
    })
    expect(pauses).toEqual([100, 200, 400, 800, 1000])
    expect(history.pauseLeftMs(5900)).toBe(100)
    history.succeeded()
    expect(history.pauseLeftMs(5000)).toBe(0)
  })

  it('is one for each purpose, and forgotten when there are very many', () => {
    const known = histories()
    const first = known.of(address, 'ordinary')
    expect(known.of(address, 'ordinary')).toBe(first)
    expect(known.of(address, 'logical')).not.toBe(first)
    for (let port = 1; port <= 1000; port++) known.of({ host: 'other', port }, 'ordinary')
    expect(known.of(address, 'ordinary')).not.toBe(first)
  })
})
