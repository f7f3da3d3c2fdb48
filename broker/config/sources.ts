/**
 * Where broker settings come from before they are parsed: flags beat environment variables, those beat the file,
 * the file beats the profile, and the profile beats Kafka's defaults.
 */

const PREFIX = 'KAFKA_'
/** Variables that Kafka's own images and scripts give another meaning; they are not settings. */
const NOT_SETTINGS: ReadonlySet<string> = new Set([
  'KAFKA_HOME',
  'KAFKA_VERSION',
  'KAFKA_OPTS',
  'KAFKA_HEAP_OPTS',
  'KAFKA_JMX_OPTS',
  'KAFKA_JMX_PORT',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_CLUSTER_ID',
  'KAFKA_BROKERS',
])

/** `KAFKA_A_B` is the key `a.b`; `__` stands for `_` and `___` for `-`. Null for variables that are no settings. */
export function keyOfVariable(variable: string): string | null {
  if (!variable.startsWith(PREFIX) || NOT_SETTINGS.has(variable)) return null
  const rest = variable.slice(PREFIX.length)
  if (rest === '') return null
  return rest
    .toLowerCase()
    .replace(/_{1,3}/g, (run) => (run.length === 1 ? '.' : run.length === 2 ? '_' : '-'))
}

export function propertiesOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const [variable, value] of Object.entries(environment)) {
    const key = keyOfVariable(variable)
    if (key !== null && value !== undefined) properties.set(key, value)
  }
  return properties
}

export interface ConfigSources {
  readonly flags?: ReadonlyMap<string, string>
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly file?: ReadonlyMap<string, string>
  readonly profile?: ReadonlyMap<string, string>
}

/** All sources laid over each other. */
export function mergeSources(sources: ConfigSources): ReadonlyMap<string, string> {
  return new Map([
    ...(sources.profile ?? []),
    ...(sources.file ?? []),
    ...propertiesOfEnvironment(sources.environment ?? {}),
    ...(sources.flags ?? []),
  ])
}
