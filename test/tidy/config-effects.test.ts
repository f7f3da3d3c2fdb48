/** A setting that nobody reads has no effect, and its row in the table must say so: operators are warned of it by that. */
import { expect, it } from 'vitest'
import { BROKER_TABLE } from '../../broker/config/broker.ts'
import { readSources } from './tree.ts'

/** Names that are put together where they are read: `group.share.${name}`. */
const COMPOSED = [/^group\.share\./, /^(leader|follower)\.replication\.throttled\.rate$/]
/** Read by comparing it with what there is: the voters are the brokers of the process. */
const CHECKED_ONLY = ['controller.quorum.voters']

it('every setting of the broker is read somewhere, or says that it has no effect', () => {
  const code = readSources()
    .filter(({ path }) => !path.startsWith('broker/config/broker-keys/') && !path.startsWith('test/'))
    .map(({ text }) => text)
    .join('\n')
  const unread = Object.entries(BROKER_TABLE)
    .filter(([, { effect }]) => effect.kind !== 'none')
    .map(([name]) => name)
    .filter((name) => !code.includes(`'${name}'`) && !COMPOSED.some((pattern) => pattern.test(name)))
  expect(unread).toEqual(CHECKED_ONLY)
})
