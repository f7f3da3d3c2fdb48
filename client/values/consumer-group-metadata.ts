/** What a consumer tells a transactional producer of its membership. Opaque to applications; may travel as bytes. */
import { ValueError } from '../errors.ts'

export class ConsumerGroupMetadata {
  readonly groupId: string
  /** Generation of a classic group, member epoch of a KIP-848 one; -1 outside a group. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null

  constructor(groupId: string, generationId = -1, memberId = '', groupInstanceId: string | null = null) {
    if (typeof groupId !== 'string') throw new TypeError('groupId must be a string')
    this.groupId = groupId
    this.generationId = generationId
    this.memberId = memberId
    this.groupInstanceId = groupInstanceId
  }

  toBuffer(): Buffer {
    const { groupId, generationId, memberId, groupInstanceId } = this
    return Buffer.from(JSON.stringify([groupId, generationId, memberId, groupInstanceId]))
  }

  static fromBuffer(bytes: Uint8Array): ConsumerGroupMetadata {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('the bytes of group metadata are needed')
    try {
      const [groupId, generationId, memberId, groupInstanceId] = JSON.parse(Buffer.from(bytes).toString())
      return new ConsumerGroupMetadata(groupId, generationId, memberId, groupInstanceId)
    } catch (error) {
      throw new ValueError(`not the bytes of group metadata: ${String(error)}`)
    }
  }
}
