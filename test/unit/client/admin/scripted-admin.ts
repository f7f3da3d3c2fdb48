/** An admin client on scripted brokers that know every API: what they answer is the test's, but versions and metadata. */
import { afterEach } from 'vitest'
import { AdminClient, type ClientConfig, KafkaException } from '../../../../client/index.ts'
import { apis } from '../../../../common/protocol/registry.ts'
import { type Reaction, ScriptedCluster, type SeenRequest } from '../support/scripted-broker.ts'

export class AdminWorld {
  readonly cluster = new ScriptedCluster(7)
  readonly admin: AdminClient
  /** undefined leaves the request to the scripted brokers. */
  answer: (request: SeenRequest) => Reaction = () => undefined
  /** Highest versions by API; -1 takes the API away. */
  versions: Readonly<Record<string, number>> = {}

  static async make(conf: ClientConfig = {}, brokers: readonly number[] = [1]): Promise<AdminWorld> {
    const cluster = new ScriptedCluster(7)
    for (const nodeId of brokers) await cluster.start(nodeId)
    return new AdminWorld(cluster, conf)
  }

  private constructor(cluster: ScriptedCluster, conf: ClientConfig) {
    this.cluster = cluster
    cluster.onRequest = (request) => {
      if (request.api === 'ApiVersions') return { answer: { errorCode: 0, apiKeys: this.#apiKeys() } }
      return this.answer(request)
    }
    const base = { 'bootstrap.servers': cluster.bootstrap, log_level: 0 }
    this.admin = new AdminClient(base, conf, { runtime: cluster.sim.machine('client') })
    open.push(this)
  }

  settle<T>(promise: Promise<T> | undefined): Promise<T> {
    if (promise === undefined) throw new Error('there is no such result')
    return this.cluster.settle(promise)
  }

  /** The name of the error's code, or of the exception's class; 'none' when there was none. */
  async failure(promise: Promise<unknown> | undefined): Promise<string> {
    try {
      await this.settle(promise)
    } catch (error) {
      return error instanceof KafkaException ? error.error.name() : (error as Error).name
    }
    return 'none'
  }

  #apiKeys(): object[] {
    return apis
      .map((api) => ({
        apiKey: api.key,
        minVersion: api.versions.lowest,
        maxVersion: this.versions[api.name] ?? api.versions.highest,
      }))
      .filter(({ maxVersion }) => maxVersion >= 0)
  }
}

const open: AdminWorld[] = []

afterEach(async () => {
  for (const { cluster, admin } of open.splice(0)) await cluster.settle(admin.close())
})
