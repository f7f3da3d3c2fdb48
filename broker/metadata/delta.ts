/**
 * Notes what a step changes, with the entities as they were before its first change.
 */
import type { MetadataDelta, TopicImage } from './image.ts'

export class MutableMetadataDelta implements MetadataDelta {
  isReset = false
  readonly changedTopics = new Map<string, TopicImage | undefined>()
  readonly deletedTopics = new Map<string, TopicImage>()
  readonly changedBrokers = new Set<number>()
  readonly changedConfigs = new Set<string>()
  changedFeatures = false
  changedAcls = false
  changedQuotas = false
  changedScram = false
  changedTokens = false

  topicChanges(id: string, before: TopicImage | undefined): void {
    if (!this.changedTopics.has(id)) this.changedTopics.set(id, before)
  }

  /** A topic that was made and deleted within the step never was. */
  topicDeleted(topic: TopicImage): void {
    const isKnown = this.changedTopics.has(topic.id)
    const before = isKnown ? this.changedTopics.get(topic.id) : topic
    this.changedTopics.delete(topic.id)
    if (before !== undefined) this.deletedTopics.set(topic.id, before)
  }

  get isEmpty(): boolean {
    return (
      !this.isReset &&
      this.changedTopics.size === 0 &&
      this.deletedTopics.size === 0 &&
      this.changedBrokers.size === 0 &&
      this.changedConfigs.size === 0 &&
      !this.changedFeatures &&
      !this.changedAcls &&
      !this.changedQuotas &&
      !this.changedScram &&
      !this.changedTokens
    )
  }
}
