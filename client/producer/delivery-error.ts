import { KafkaException } from '../errors.ts'
import type { Message } from '../values/message.ts'

/** A message of `send` was not delivered. `report.persistence()` tells whether a broker may have stored it nevertheless. */
export class DeliveryError extends KafkaException {
  override readonly name = 'DeliveryError'
  readonly report: Message

  constructor(report: Message) {
    const error = report.error()
    if (error === null) throw new TypeError('the report is not one of a failure')
    super(error)
    this.report = report
  }
}
