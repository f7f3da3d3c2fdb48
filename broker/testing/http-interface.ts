/**
 * The HTTP interface of a test's cluster: the same as that of `kafkito start`, over whatever life the cluster has at the moment, so its port
 * stays through `restore`.
 *
 * Owner: the cluster of a test. Node's HTTP is loaded when the first one is opened: a cluster without it starts sooner.
 */
import type { Cluster } from '../cluster.ts'
import type { ClusterNode } from '../cluster-node.ts'
import type { ControlledCluster, ControlledNode } from '../http/cluster-control.ts'
import type { ClusterView } from '../http/cluster-view.ts'
import { StartError } from '../start-error.ts'
import { letTimePass } from './cluster-clock.ts'
import type { LocalWorld } from './local-world.ts'
import type { HttpOptions } from './options.ts'

export class HttpInterface {
  readonly url: string
  readonly #close: () => Promise<void>

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  /** @param isPrepared see `HttpServerOptions` @throws StartError when the port is not to be had */
  static async open(
    world: LocalWorld,
    asked: true | HttpOptions,
    isPrepared: () => boolean,
  ): Promise<HttpInterface> {
    const { port = 0, host = '127.0.0.1' } = asked === true ? {} : asked
    const { openHttp } = await import('../http/open-http.ts')
    const cluster = presentLife(world)
    try {
      const { url, close } = await openHttp(cluster, { host, port, control: cluster, isPrepared })
      return new HttpInterface(url, close)
    } catch (error) {
      const message = `HTTP cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`
      throw new StartError('PORT_IN_USE', message, 'Leave the port out: a free one is taken.', {
        cause: error,
      })
    }
  }

  close(): Promise<void> {
    return this.#close()
  }
}

function presentLife(world: LocalWorld): ClusterView & ControlledCluster {
  const engine = (): Cluster => world.engine
  return {
    get bootstrapServers() {
      return engine().bootstrapServers
    },
    get brokers() {
      return engine().brokers
    },
    get nodes() {
      return engine().nodes.map((node) => controlled(world, node))
    },
    get lackOfQuorum() {
      return engine().lackOfQuorum
    },
    runtime: world.runtime,
    addBroker: async (options) => {
      const nodeId = await world.addBroker(options)
      return controlled(world, engine().node(nodeId))
    },
    removeBroker: (nodeId) => world.removeBroker(nodeId),
    isolate: (nodeId, options) => engine().isolate(nodeId, options),
    heal: (nodeId) => engine().heal(nodeId),
  }
}

/** What an HTTP client waits for happens although nobody moves a virtual clock. */
function controlled(world: LocalWorld, node: ClusterNode): ControlledNode {
  return {
    nodeId: node.nodeId,
    get state() {
      return node.state
    },
    get advertisedAddresses() {
      return node.advertisedAddresses
    },
    start: () => letTimePass(world.runtime, node.start()),
    stop: () => letTimePass(world.runtime, node.stop()),
    kill: (options) => node.kill(options),
    freeze: () => node.freeze(),
    thaw: () => node.thaw(),
  }
}
