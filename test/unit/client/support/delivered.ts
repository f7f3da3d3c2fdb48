/** Collects delivery reports. */
import type { KafkaError, Message } from '../../../../client/index.ts'

export class Delivered {
  readonly reports: { readonly error: KafkaError | null; readonly message: Message }[] = []
  readonly callback = (error: KafkaError | null, message: Message): void => {
    this.reports.push({ error, message })
  }

  get values(): (string | undefined)[] {
    return this.reports.map(({ message }) => message.value()?.toString())
  }

  get errors(): (string | null)[] {
    return this.reports.map(({ error }) => error?.name() ?? null)
  }
}
