/**
 * Rules of access: `AclBinding` is one, `AclBindingFilter` describes many. Both are immutable and equal by value.
 *
 * Enumerations may be given as number or name. Kinds of Kafka that the documented API has no member for are UNKNOWN when a
 * broker tells of them.
 */
import { AclOperation, AclPermissionType, ResourcePatternType, ResourceType } from '../../constants.ts'
import { ValueError } from '../../errors.ts'
import { enumArgument } from '../enum-argument.ts'

type Input<E> = E | Lowercase<string> | Uppercase<string> | number

/** A rule or a filter: what both consist of. */
abstract class AclPattern<Text extends string | null> {
  readonly restype: ResourceType
  readonly name: Text
  readonly resourcePatternType: ResourcePatternType
  readonly principal: Text
  readonly host: Text
  readonly operation: AclOperation
  readonly permissionType: AclPermissionType

  constructor(
    restype: Input<ResourceType>,
    name: Text,
    resourcePatternType: Input<ResourcePatternType>,
    principal: Text,
    host: Text,
    operation: Input<AclOperation>,
    permissionType: Input<AclPermissionType>,
  ) {
    this.restype = enumArgument(ResourceType, restype, 'restype')
    this.name = name
    this.resourcePatternType = enumArgument(ResourcePatternType, resourcePatternType, 'resourcePatternType')
    this.principal = principal
    this.host = host
    this.operation = enumArgument(AclOperation, operation, 'operation')
    this.permissionType = enumArgument(AclPermissionType, permissionType, 'permissionType')
  }

  /** Equal ones share it. */
  key(): string {
    const { restype, name, resourcePatternType, principal, host, operation, permissionType } = this
    return JSON.stringify([restype, name, resourcePatternType, principal, host, operation, permissionType])
  }

  equals(other: unknown): boolean {
    return other instanceof AclPattern && other.constructor === this.constructor && other.key() === this.key()
  }

  toString(): string {
    return `${this.constructor.name}${this.key()}`
  }
}

export class AclBinding extends AclPattern<string> {
  /**
   * All are mandatory. Principals look like `User:alice`; the host is an address or `*`.
   * Throws ValueError for null, unknown words, ANY and MATCH; TypeError for other types.
   */
  constructor(
    restype: Input<ResourceType>,
    name: string,
    resourcePatternType: Input<ResourcePatternType>,
    principal: string,
    host: string,
    operation: Input<AclOperation>,
    permissionType: Input<AclPermissionType>,
  ) {
    for (const [field, value] of Object.entries({ name, principal, host })) {
      if (value === null || value === undefined) throw new ValueError(`${field} must not be null`)
      if (typeof value !== 'string') throw new TypeError(`${field} must be a string`)
    }
    super(restype, name, resourcePatternType, principal, host, operation, permissionType)
    const { ANY, MATCH } = ResourcePatternType
    const isFilter =
      this.restype === ResourceType.ANY ||
      this.resourcePatternType === ANY ||
      this.resourcePatternType === MATCH ||
      this.operation === AclOperation.ANY ||
      this.permissionType === AclPermissionType.ANY
    if (isFilter) throw new ValueError('ANY and MATCH are for filters only')
  }
}

export class AclBindingFilter extends AclPattern<string | null> {
  /**
   * null stands for any name, principal or host.
   * Throws ValueError for unknown words and UNKNOWN; TypeError for other types.
   */
  constructor(
    restype: Input<ResourceType>,
    name: string | null,
    resourcePatternType: Input<ResourcePatternType>,
    principal: string | null,
    host: string | null,
    operation: Input<AclOperation>,
    permissionType: Input<AclPermissionType>,
  ) {
    for (const [field, value] of Object.entries({ name, principal, host })) {
      const isText = value === null || value === undefined || typeof value === 'string'
      if (!isText) throw new TypeError(`${field} must be a string or null`)
    }
    super(
      restype,
      name ?? null,
      resourcePatternType,
      principal ?? null,
      host ?? null,
      operation,
      permissionType,
    )
    const members = [this.restype, this.resourcePatternType, this.operation, this.permissionType]
    if (members.includes(0)) throw new ValueError('UNKNOWN cannot be looked for')
  }
}
