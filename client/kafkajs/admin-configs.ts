/** Configurations as kafkajs writes them, and as the AdminClient does. */
import type { ConfigEntry } from '../admin/configs/config-entry.ts'
import { ConfigResource } from '../admin/configs/config-resource.ts'
import type { DescribeConfigResponse, ResourceConfig, ResourceConfigQuery } from './admin-types.ts'

type DescribedResource = DescribeConfigResponse['resources'][number]

/** The resource with the whole configuration that it is to have. */
export function configResourceOf({ type, name, configEntries }: ResourceConfig): ConfigResource {
  const setConfig = Object.fromEntries(configEntries.map((entry) => [entry.name, entry.value]))
  return new ConfigResource(type, name, { setConfig })
}

/** The entries that were asked for: all, where no names were given. */
export function describedResource(
  { type, name, configNames = [] }: ResourceConfigQuery,
  entries: Iterable<ConfigEntry>,
): DescribedResource {
  const wanted = [...entries].filter((entry) => configNames.length === 0 || configNames.includes(entry.name))
  return {
    errorCode: 0,
    errorMessage: '',
    resourceName: name,
    resourceType: type,
    configEntries: wanted.map(describedEntry),
  }
}

function describedEntry(entry: ConfigEntry): DescribedResource['configEntries'][number] {
  const { name: configName, value, source, isReadOnly, isDefault, isSensitive, synonyms } = entry
  return {
    configName,
    configValue: value ?? '',
    configSource: source,
    readOnly: isReadOnly,
    isDefault,
    isSensitive,
    configSynonyms: [...synonyms.values()].map((synonym) => ({
      configName: synonym.name,
      configValue: synonym.value ?? '',
      configSource: synonym.source,
    })),
  }
}
