/** The same question for every broker of the cluster: what each knows by itself, as groups and transactions. */
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { AdminCall } from './admin-call.ts'
import type { AdminAnswer, AdminRequest } from './admin-request.ts'

export interface BrokerAnswers<A extends ApiSchema> {
  readonly answers: readonly AdminAnswer<A>[]
  /** One for each broker that did not answer. */
  readonly errors: readonly KafkaException[]
}

/** Rejects when the call ends, except when time runs out and some brokers have answered. */
export async function askEveryBroker<A extends ApiSchema>(
  call: AdminCall,
  request: AdminRequest<A>,
): Promise<BrokerAnswers<A>> {
  const { brokers } = await call.metadata([])
  const answers: AdminAnswer<A>[] = []
  const errors: KafkaException[] = []
  await Promise.all(
    brokers.map(async ({ nodeId }) => {
      try {
        answers.push(await call.ask({ kind: 'broker', nodeId }, request))
      } catch (error) {
        if (!(error instanceof KafkaException) || error.error.code() === KafkaError._DESTROY) throw error
        errors.push(error)
      }
    }),
  )
  const isLate = errors.length > 0 && errors.every(({ error }) => error.code() === KafkaError._TIMED_OUT)
  if (answers.length === 0 && isLate) throw errors[0]
  return { answers, errors }
}
