/** The fixture's own end in a cluster of this process: requests to its brokers, which faults of tests leave alone. */
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { Cluster } from '../cluster.ts'
import { FIXTURE_ENDPOINT } from './fault-engine.ts'
import { Wire } from './wire.ts'

/** @param cluster asked each time: the network is another one after `restore` */
export function localWire(cluster: () => Cluster, runtime: Runtime, realTimers: Scheduler): Wire {
  return new Wire({
    transport: {
      listen: (options, onLink) => cluster().network.endpoint(FIXTURE_ENDPOINT).listen(options, onLink),
      connect: (options) => {
        const { network } = cluster()
        const address = network.knows(options) ? options : cluster().listenerBehind(options)
        if (address === undefined || !network.knows(address)) return runtime.transport.connect(options)
        const { host, port } = address
        return network.endpoint(FIXTURE_ENDPOINT).connect({ ...options, host, port })
      },
    },
    scheduler: realTimers,
    bootstrap: () => {
      const running = cluster().nodes.filter(({ state }) => state === 'running')
      return running.flatMap(({ advertisedAddresses }) => [...advertisedAddresses.values()].slice(0, 1))
    },
    clientId: 'kafkito-fixture',
  })
}
