import { describe, expect, it } from 'vitest'
import { AclOperation, ConfigSource, ResourceType } from '../../../client/constants.ts'
import * as flat from '../../../client/flat-constants.ts'

describe('the flat names of constants', () => {
  it('stand for the members of the enumerations', () => {
    expect(flat.RESOURCE_UNKNOWN).toBe(ResourceType.UNKNOWN)
    expect(flat.RESOURCE_ANY).toBe(ResourceType.ANY)
    const values: ReadonlyMap<string, unknown> = new Map(Object.entries(flat))
    for (const [name, member] of Object.entries(AclOperation)) {
      if (values.has(`ACL_OPERATION_${name}`)) expect(values.get(`ACL_OPERATION_${name}`)).toBe(member)
    }
    for (const [name, member] of Object.entries(ConfigSource)) {
      if (values.has(`CONFIG_SOURCE_${name}`)) expect(values.get(`CONFIG_SOURCE_${name}`)).toBe(member)
    }
    for (const value of values.values()) expect(value).toBeDefined()
  })
})
