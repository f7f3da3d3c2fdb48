/** What stands in the cells of docs/client-api.md that cannot name an implementation or a test, by item or by test. */

/** Items that the client does not have, and why. An item that it has must not stand here. */
export const absent: Readonly<Record<string, string>> = {}

/** Items without any test, and why. */
export const untested: Readonly<Record<string, string>> = {}

const ownCluster = 'the test stops a cluster of its own'

/** Tests, or files of tests, that did not run against Apache Kafka, and why. */
export const notOnOracle: Readonly<Record<string, string>> = {
  'e2e/broker-errors': 'brokers that err on purpose give what a healthy cluster does not',
  'e2e/edge-cases: messages for brokers that are gone time out, and error_cb hears why': ownCluster,
  'e2e/consumer-failover: reads on and commits when brokers stop and come back one after the other':
    ownCluster,
}
