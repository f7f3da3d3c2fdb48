/** Settings of topics, brokers, groups and client metrics, changed by the request that an operator sends. */
import { IncrementalAlterConfigs } from '../../common/protocol/apis/44-incremental-alter-configs.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { KafkaError } from './kafka-error.ts'
import type { Wire } from './wire.ts'

/** Kafka's resource type ids of configurations. */
const RESOURCE_TYPES = { topic: 2, broker: 4, 'client-metrics': 16, group: 32 } as const
export type ConfigKind = keyof typeof RESOURCE_TYPES

const ConfigOperation = { set: 0, delete: 1 } as const

/** @param configs null takes a setting back @throws KafkaError */
export async function changeConfigs(
  wire: Wire,
  kind: ConfigKind,
  name: string,
  configs: Readonly<Record<string, string | number | boolean | null>>,
): Promise<void> {
  const request = {
    resources: [
      {
        resourceType: RESOURCE_TYPES[kind],
        resourceName: name,
        configs: Object.entries(configs).map(([key, value]) => ({
          name: key,
          configOperation: value === null ? ConfigOperation.delete : ConfigOperation.set,
          value: value === null ? null : String(value),
        })),
      },
    ],
    validateOnly: false,
  }
  // Only a broker itself changes its own settings.
  const { responses } = await (kind === 'broker' && name !== ''
    ? wire.broker(Number(name), IncrementalAlterConfigs, request)
    : wire.any(IncrementalAlterConfigs, request))
  const failed = responses.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
  if (failed !== undefined)
    throw new KafkaError(`settings of ${kind} "${name}"`, failed.errorCode, failed.errorMessage)
}
