/** The public names of `kafkito/admin`; `kafkito/client` has them too. */
export {
  AclOperation,
  AclPermissionType,
  AlterConfigOpType,
  ConfigSource,
  ConsumerGroupState,
  ConsumerGroupType,
  ElectionType,
  IsolationLevel,
  ResourcePatternType,
  ResourceType,
  ScramMechanism,
} from '../constants.ts'
export { AdminClient } from './admin-client.ts'
export type {
  AdminOptions,
  AuthorizedOptions,
  BrokerOptions,
  OperationOptions,
  ValidateOptions,
} from './admin-options.ts'
export type { DescribeClusterResult } from './cluster.ts'
export { KeyedMap, type MapKey, ResultMap } from './keyed-map.ts'
