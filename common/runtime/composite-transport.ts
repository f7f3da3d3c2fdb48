/**
 * Brokers of one process talk over memory while clients come over TCP: listeners take the same address in both worlds, and
 * a connection stays inside when somebody of this process listens at its address. Owned by the cluster.
 */
import type { MemoryNetwork } from './sim/transport.ts'
import type { Transport } from './transport.ts'

export interface CompositeTransportOptions {
  readonly outside: Transport
  readonly network: MemoryNetwork
  /** Name of the owner in the network: whom `isolate` and `cut` speak of. */
  readonly endpoint: string
}

export function createCompositeTransport(options: CompositeTransportOptions): Transport {
  const { outside, network } = options
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
      const isInside = connectOptions.tls === undefined && network.knows(connectOptions)
      return (isInside ? inside : outside).connect(connectOptions)
    },
  }
}
