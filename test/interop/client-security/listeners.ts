/** The listeners of the broker that the suite starts, and its configuration. */
import { createServer } from 'node:net'

/** PLAINTEXT is for the suite's own errands. */
export const listenerNames = [
  'PLAINTEXT',
  'TLS',
  'ELSEWHERE',
  'MUTUAL',
  'SCRAM',
  'BEARER',
  'SESSIONS',
] as const
export type ListenerName = (typeof listenerNames)[number]

const protocols: Readonly<Record<ListenerName, string>> = {
  PLAINTEXT: 'PLAINTEXT',
  TLS: 'SSL',
  ELSEWHERE: 'SSL',
  MUTUAL: 'SSL',
  SCRAM: 'SASL_SSL',
  BEARER: 'SASL_PLAINTEXT',
  SESSIONS: 'SASL_PLAINTEXT',
}

/** Long enough for a busy machine to renew a session in its last tenth. */
const sessionMs = 8_000

/** @param tlsFile path of a file of `test/support/tls` */
export function brokerConfig(ports: readonly number[], tlsFile: (name: string) => string): string[] {
  const [plaintextPort = 0] = ports
  const address = (host: string): string =>
    listenerNames.map((name, index) => `${name}://${host}:${ports[index]}`).join(',')
  const modules = 'org.apache.kafka.common.security'
  return [
    `listeners=${address('127.0.0.1')},CONTROLLER://127.0.0.1:${plaintextPort + 1000}`,
    `advertised.listeners=${address('localhost')}`,
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${listenerNames.map((name) => `${name}:${protocols[name]}`).join(',')}`,
    'inter.broker.listener.name=PLAINTEXT',
    'auto.create.topics.enable=true',
    ...keystore('tls', tlsFile('server-keystore.pem')),
    ...keystore('elsewhere', tlsFile('elsewhere-keystore.pem')),
    ...keystore('mutual', tlsFile('server-keystore.pem')),
    'listener.name.mutual.ssl.client.auth=required',
    'listener.name.mutual.ssl.truststore.type=PEM',
    `listener.name.mutual.ssl.truststore.location=${tlsFile('authority.pem')}`,
    ...keystore('scram', tlsFile('server-keystore.pem')),
    'listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512',
    `listener.name.scram.scram-sha-256.sasl.jaas.config=${modules}.scram.ScramLoginModule required;`,
    `listener.name.scram.scram-sha-512.sasl.jaas.config=${modules}.scram.ScramLoginModule required;`,
    'listener.name.bearer.sasl.enabled.mechanisms=OAUTHBEARER',
    `listener.name.bearer.oauthbearer.sasl.jaas.config=${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    `listener.name.bearer.oauthbearer.connections.max.reauth.ms=${sessionMs}`,
    'listener.name.sessions.sasl.enabled.mechanisms=PLAIN',
    `listener.name.sessions.plain.sasl.jaas.config=${modules}.plain.PlainLoginModule required user_alice="secret";`,
    `listener.name.sessions.plain.connections.max.reauth.ms=${sessionMs}`,
  ]
}

function keystore(listener: string, path: string): string[] {
  const prefix = `listener.name.${listener}.ssl.keystore`
  return [`${prefix}.type=PEM`, `${prefix}.location=${path}`]
}

/** Free ports; a thousand above the first one is free for the controller. */
export async function freePorts(count: number): Promise<number[]> {
  for (;;) {
    const servers = await Promise.all(Array.from({ length: count }, () => listen(0)))
    const ports = servers.map((server) => (server === undefined ? 0 : portOf(server)))
    const controller = await listen((ports[0] ?? 0) + 1000).catch(() => undefined)
    await Promise.all(
      [...servers, controller].map((server) => new Promise((done) => server?.close(done) ?? done(0))),
    )
    if (controller !== undefined && !ports.includes(0)) return ports
  }
}

type Server = ReturnType<typeof createServer>

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    if (port > 65_535) return resolve(undefined)
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
