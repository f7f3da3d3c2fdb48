/**
 * Brokers of one process talk over memory while clients come over TCP: listeners take the same address in both worlds, and
 * a connection stays inside when somebody of this process listens at its address, or is advertised there. Owned by the cluster.
 */
import type { MemoryNetwork } from './sim/transport.ts'
import type { Address, Transport } from './transport.ts'

export interface CompositeTransportOptions {
  readonly outside: Transport
  readonly network: MemoryNetwork
  /** Name of the owner in the network: whom `isolate` and `cut` speak of. */
  readonly endpoint: string
  /** Where somebody of this process listens whom others find at the address; undefined when it is nobody here. Default: nobody. */
  readonly listenerBehind?: (advertised: Address) => Address | undefined
}

export function createCompositeTransport(options: CompositeTransportOptions): Transport {
  const { outside, network, listenerBehind } = options
  const inside = network.endpoint(options.endpoint)
  return {
    listen: async (listenOptions, onLink) => {
      const outer = await outside.listen(listenOptions, onLink)
      const inner = await inside
        .listen({ ...listenOptions, port: outer.address.port }, onLink)
        .catch((error) => {
          outer.close()
          throw error
        })
      return {
        address: outer.address,
        close: () => {
          outer.close()
          inner.close()
        },
      }
    },
    connect: (connectOptions) => {
      if (connectOptions.tls !== undefined) return outside.connect(connectOptions)
      const address = network.knows(connectOptions) ? connectOptions : listenerBehind?.(connectOptions)
      if (address === undefined || !network.knows(address)) return outside.connect(connectOptions)
      return inside.connect({ ...connectOptions, host: address.host, port: address.port })
    },
  }
}
