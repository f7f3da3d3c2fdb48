/** Something about a start that a person should know, though it does not stand in the way. */
export interface ClusterWarning {
  readonly kind: 'port-taken' | 'unknown-config' | 'ineffective-config'
  readonly message: string
}
