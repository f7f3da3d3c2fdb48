package kafkito.interop.chaos;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Numbers the records of each partition and tells which were acknowledged, and where. */
final class Produce implements Runnable {

    static final int PARTITIONS = 3;
    private static final int BURST = 10;

    private final String bootstrap;
    private final String topic;
    private final int perSecond;

    Produce(String bootstrap, String topic, int perSecond) {
        this.bootstrap = bootstrap;
        this.topic = topic;
        this.perSecond = perSecond;
    }

    @Override
    public void run() {
        var settings = Worker.settings(
                bootstrap, "acks", "all", "enable.idempotence", true, "linger.ms", 5, "delivery.timeout.ms", 240_000);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (int number = 0; Worker.isProducing; number++) {
                for (int partition = 0; partition < PARTITIONS; partition++) {
                    send(producer, partition, number);
                }
                if (number % BURST == BURST - 1) {
                    Thread.sleep(1000L * PARTITIONS * BURST / perSecond);
                }
            }
            producer.flush();
        } catch (Exception e) {
            Worker.note("produce", e);
        }
    }

    private void send(KafkaProducer<String, String> producer, int partition, int number) {
        producer.send(new ProducerRecord<>(topic, partition, null, String.valueOf(number)), (metadata, error) -> {
            if (error == null) {
                Worker.emit("ack", topic, partition, number, metadata.offset());
            } else {
                Worker.emit("failed", topic, partition, number, error.getClass().getSimpleName());
            }
        });
    }
}
