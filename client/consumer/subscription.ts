/** What the application subscribed to: literal names, and expressions (a leading `^`). */
import { KafkaError, kafkaException } from '../errors.ts'

export interface Subscription {
  readonly literals: readonly string[]
  readonly expressions: readonly string[]
  /** Of the expressions; matched anywhere in a name. Empty when the broker matches. */
  readonly patterns: readonly RegExp[]
}

/**
 * @param matchesHere whether the client matches expressions (classic protocol)
 * Throws TypeError for what is no list of strings, `_INVALID_ARG` for empty, doubled and invalid ones.
 */
export function parseSubscription(topics: unknown, matchesHere: boolean): Subscription {
  if (!Array.isArray(topics)) throw new TypeError('expected a list of topics')
  const names: readonly unknown[] = topics
  for (const name of names) if (typeof name !== 'string') throw new TypeError('topics must be strings')
  const strings = names as readonly string[]
  if (strings.length === 0) throw refusal('the list of topics is empty; unsubscribe clears a subscription')
  if (strings.includes('')) throw refusal('a topic name is empty')
  if (new Set(strings).size !== strings.length) throw refusal('a topic is named twice')
  const expressions = strings.filter((name) => name.startsWith('^'))
  return {
    literals: strings.filter((name) => !name.startsWith('^')),
    expressions,
    patterns: matchesHere ? expressions.map(compile) : [],
  }
}

/** `topic.blacklist`: expressions separated by commas. */
export function parseBlacklist(text: string | undefined): readonly RegExp[] {
  return (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(compile)
}

/** Whether an expression covers the topic. Internal topics must be named. */
export function matchesPattern(
  subscription: Subscription,
  topic: string,
  isInternal: boolean,
  blacklist: readonly RegExp[],
): boolean {
  if (isInternal || blacklist.some((pattern) => pattern.test(topic))) return false
  return subscription.patterns.some((pattern) => pattern.test(topic))
}

function compile(expression: string): RegExp {
  try {
    return new RegExp(expression)
  } catch (error) {
    throw refusal(`"${expression}" is not a regular expression: ${String(error)}`)
  }
}

function refusal(text: string): Error {
  return kafkaException(KafkaError._INVALID_ARG, text)
}
