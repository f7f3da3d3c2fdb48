import { ValueError } from '../errors.ts'
import { type Config, ConfigDraft, type HandleKind, isRecord } from './config.ts'
import type { ClientConfig } from './table.ts'
import { validate } from './validate.ts'

/**
 * Reads and checks. `extra` overrides `conf`.
 * Throws TypeError without any configuration, KafkaException `_INVALID_ARG` for what parts 15 and 16 forbid.
 */
export function readConfig(kind: HandleKind, conf: ClientConfig | undefined, extra?: ClientConfig): Config {
  if (!isRecord(conf) && !isRecord(extra)) throw new TypeError('a configuration object is needed')
  const draft = new ConfigDraft(kind)
  for (const source of [conf, extra]) {
    if (source === undefined || source === null) continue
    if (!isRecord(source)) throw new TypeError('the configuration must be an object')
    for (const [name, given] of Object.entries(source)) {
      const isOverridden = source === conf && extra?.[name as keyof ClientConfig] !== undefined
      if (!isOverridden) draft.set(name, given)
    }
  }
  draft.applyTopicConfig()
  if ((kind === 'consumer' || kind === 'share-consumer') && !draft.values['group.id']) {
    throw new ValueError('group.id must be configured')
  }
  validate(draft)
  return draft.finish()
}
