/**
 * Puts a cluster together: who its nodes are, what they share, what each of them is and may do. Nothing runs yet.
 */
import type { NodeRuntime } from '../common/runtime/node/runtime.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import { MemoryNetwork } from '../common/runtime/sim/transport.ts'
import type { Address } from '../common/runtime/transport.ts'
import { type ClusterEnvironment, ClusterNode, type NodeRole, votersOf } from './cluster-node.ts'
import type { AddBrokerOptions, ClusterOptions } from './cluster-options.ts'
import { brokerConfig, endPointsOf, givenProperties } from './cluster-settings.ts'
import type { ClusterWarning } from './cluster-warning.ts'
import { disksOf, FIRST_NODE_ID, type NodePlace, placeOf } from './node-place.ts'

/** Ports that are tried after a busy one. */
const PORT_TRIES = 100

export interface ClusterParts {
  readonly clusterId: string
  /** By node id from the lowest; brokers may be added and taken out. */
  readonly nodes: ClusterNode[]
  /** Ids of the nodes that vote in the metadata quorum. */
  readonly voters: readonly number[]
  /** One broker more; it is not among `nodes` yet. @throws StartError */
  readonly createNode: (options: AddBrokerOptions) => ClusterNode
  /** About settings; what the nodes have to say when they have started is added. */
  readonly warnings: ClusterWarning[]
  readonly network: MemoryNetwork
}

/** @param brokerCount nodes that are brokers @throws StartError, FileError */
export function assembleCluster(options: ClusterOptions, brokerCount: number, world: Runtime): ClusterParts {
  const warnings: ClusterWarning[] = []
  const given = givenProperties(options)
  const disk = disksOf(options, given, world, brokerCount)
  const network = networkOf(world)
  const controllerCount = options.controllers ?? 0
  const placeAt = (index: number): NodePlace => placeOf(options, given, disk, index)
  const places = Array.from({ length: brokerCount + controllerCount }, (_, index) => placeAt(index))
  const nodeIds = places.map(({ nodeId }) => nodeId)
  const voters = votersOf(controllerCount > 0 ? nodeIds.slice(brokerCount) : nodeIds)
  const clusterId =
    places.find(({ known }) => known?.clusterId !== undefined)?.known?.clusterId ?? world.random.uuid()
  const nodes: ClusterNode[] = []
  const environment: ClusterEnvironment = {
    clusterId,
    world,
    network,
    nodeIds,
    voters,
    ...(options.replicaHistory === undefined ? {} : { replicaHistory: options.replicaHistory }),
    alternativePorts: options.strictPorts === true ? 0 : PORT_TRIES,
    interception: options.interception,
    controllerAddressOf: (nodeId) => nodes.find((node) => node.nodeId === nodeId)?.broker?.controllerAddress,
    listenerBehind: (advertised) => listenerBehind(nodes, advertised),
  }
  const createNode = (
    place: NodePlace,
    more: { index: number; role: NodeRole; added?: AddBrokerOptions },
  ): ClusterNode => {
    const config = brokerConfig(given, options, place, { ...more, warnings })
    const files = disk(place.nodeId)
    const endPoints =
      more.role === 'controller' ? { listeners: [], advertisedListeners: [] } : endPointsOf(config)
    return new ClusterNode(environment, { ...place, role: more.role, config, files, ...endPoints })
  }
  for (const [index, place] of places.entries()) {
    const role = controllerCount === 0 ? 'both' : index < brokerCount ? 'broker' : 'controller'
    nodes.push(createNode(place, { index, role }))
  }
  const addedNode = (added: AddBrokerOptions): ClusterNode => {
    const [firstNodeId = FIRST_NODE_ID] = nodeIds
    const index = (added.nodeId ?? firstNodeId) - firstNodeId
    return createNode(placeAt(index), { index, role: 'broker', added })
  }
  return { clusterId, nodes, voters, createNode: addedNode, warnings, network }
}

function networkOf(world: Runtime): MemoryNetwork {
  return new MemoryNetwork({
    clock: world.clock,
    reactor: world.reactor,
    scheduler: world.scheduler,
    random: world.random.fork('network'),
    ...('nextLinkId' in world ? { nextLinkId: (world as NodeRuntime).nextLinkId } : {}),
  })
}

/** Where the node listens that advertises the address; undefined when none does. */
export function listenerBehind(nodes: readonly ClusterNode[], advertised: Address): Address | undefined {
  for (const node of nodes) {
    const address = node.listenerBehind(advertised)
    if (address !== undefined) return address
  }
  return undefined
}
