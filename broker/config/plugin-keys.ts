/**
 * Settings that belong to no table of the broker: those of Kafka's standard authorizer. To Kafka's broker they are unknown words that it
 * passes on; an operator who writes one has not misspelt anything.
 */
const NO_ACCESS_CONTROL = 'Rules for access are stored, and decide over nothing.'

/** Why each is without effect here: a sentence. */
export const PLUGIN_KEYS: ReadonlyMap<string, string> = new Map([
  ['super.users', NO_ACCESS_CONTROL],
  ['allow.everyone.if.no.acl.found', NO_ACCESS_CONTROL],
])
