/** Every scenario, in the order in which they are played. */
import type { Scenario } from '../scenario.ts'
import { clusterScenarios } from './cluster.ts'
import { configScenarios } from './configs.ts'
import { detailScenarios } from './details.ts'
import { fetchScenarios } from './fetch.ts'
import { firstScenarios } from './first-contact.ts'
import { groupScenarios } from './groups.ts'
import { otherScenarios } from './others.ts'
import { produceScenarios } from './produce.ts'
import { quotaScenarios } from './quotas.ts'
import { securityScenarios } from './security.ts'
import { topicScenarios } from './topics.ts'
import { transactionScenarios } from './transactions.ts'

export const scenarios: readonly Scenario[] = [
  ...firstScenarios,
  ...clusterScenarios,
  ...produceScenarios,
  ...fetchScenarios,
  ...topicScenarios,
  ...configScenarios,
  ...groupScenarios,
  ...transactionScenarios,
  ...securityScenarios,
  ...quotaScenarios,
  ...otherScenarios,
  ...detailScenarios,
]
