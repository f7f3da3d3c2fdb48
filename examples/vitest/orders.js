// The application under test: takes orders from one topic, writes invoices to another.
import { Kafka } from 'kafkajs'

export async function placeOrder(config, topic, order) {
  const producer = new Kafka(config).producer()
  await producer.connect()
  try {
    await producer.send({ topic, messages: [{ key: order.id, value: JSON.stringify(order) }] })
  } finally {
    await producer.disconnect()
  }
}

export async function startInvoicing(config, { groupId, orders, invoices }) {
  const kafka = new Kafka(config)
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 })
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topics: [orders], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      const { id, amount } = JSON.parse(message.value.toString())
      const invoice = { id, total: amount * 1.2 }
      await producer.send({ topic: invoices, messages: [{ key: id, value: JSON.stringify(invoice) }] })
    },
  })
  return async () => {
    await consumer.disconnect()
    await producer.disconnect()
  }
}
