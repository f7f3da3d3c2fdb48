package kafkito.interop.chaos;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Consumes, transforms and produces in transactions: every record becomes one in two partitions of the sink, together with the offset of
 * the group. Each seventh transaction is aborted on purpose and done again.
 */
final class Forward implements Runnable {

    private static final Duration POLL = Duration.ofMillis(200);
    private static final int COMMIT_TRIES = 10;
    private static final int ABORT_EVERY = 7;

    private final String bootstrap;
    private final String source;
    private final String sink;
    private final String group;
    private KafkaProducer<String, String> producer;
    private int transaction;
    private int turn;
    private int lives;

    Forward(String bootstrap, String source, String sink) {
        this.bootstrap = bootstrap;
        this.source = source;
        this.sink = sink;
        this.group = "forward-" + source;
    }

    @Override
    public void run() {
        boolean isDrained = false;
        while (!isDrained) {
            try (KafkaConsumer<String, String> consumer = Member.consumer(
                    bootstrap, "group.id", group, "isolation.level", "read_committed", "max.poll.records", 50,
                    "session.timeout.ms", 10_000, "heartbeat.interval.ms", 1000)) {
                isDrained = live(consumer);
            } catch (Exception e) {
                Worker.note(group, e);
            }
        }
        if (producer != null) {
            producer.close(Duration.ofSeconds(5));
        }
    }

    private boolean live(KafkaConsumer<String, String> consumer) {
        String life = "f" + ++lives;
        consumer.subscribe(List.of(source), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> added) {
                added.forEach(one -> Worker.emit("assigned", group, life, one.topic(), one.partition()));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> removed) {}
        });
        while (true) {
            ConsumerRecords<String, String> records = consumer.poll(POLL);
            if (!records.isEmpty()) {
                records.forEach(one ->
                        Worker.emit("got", group, life, one.topic(), one.partition(), one.offset(), one.value()));
                if (!forward(consumer, records)) {
                    // What was done is known to the group only: begin again where it says.
                    return false;
                }
            } else if (!Worker.isConsuming && Member.isAtEnd(consumer, List.of(source))) {
                return true;
            }
        }
    }

    /** Whether the transaction was committed. */
    private boolean forward(KafkaConsumer<String, String> consumer, ConsumerRecords<String, String> records) {
        int id = ++transaction;
        boolean isOpen = false;
        try {
            if (producer == null) {
                producer = new KafkaProducer<>(
                        Worker.settings(
                                bootstrap, "transactional.id", group, "linger.ms", 5,
                                "transaction.timeout.ms", 30_000, "max.block.ms", 15_000, "delivery.timeout.ms", 25_000),
                        new StringSerializer(),
                        new StringSerializer());
                producer.initTransactions();
            }
            producer.beginTransaction();
            isOpen = true;
            Worker.emit("begin", id, 2 * records.count());
            Map<TopicPartition, OffsetAndMetadata> offsets = send(id, records);
            producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
            if (++turn % ABORT_EVERY == 0) {
                producer.abortTransaction();
                Worker.emit("abort", id);
                return false;
            }
            offsets.forEach((one, offset) -> Worker.emit("trying", group, one.topic(), one.partition(), offset.offset()));
            isOpen = false;
            commit();
            Worker.emit("commit", id);
            offsets.forEach((one, offset) -> Worker.emit("committed", group, one.topic(), one.partition(), offset.offset()));
            return true;
        } catch (Exception e) {
            Worker.note(group, e);
            giveUp(id, isOpen);
            return false;
        }
    }

    private Map<TopicPartition, OffsetAndMetadata> send(int id, ConsumerRecords<String, String> records)
            throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        Future<RecordMetadata> last = null;
        for (ConsumerRecord<String, String> record : records) {
            int partition = record.partition();
            String text = id + ":" + partition + ":" + record.offset();
            producer.send(new ProducerRecord<>(sink, partition, null, text + ":a"));
            last = producer.send(new ProducerRecord<>(sink, (partition + 1) % Produce.PARTITIONS, null, text + ":b"));
            offsets.put(
                    new TopicPartition(record.topic(), partition), new OffsetAndMetadata(record.offset() + 1));
        }
        if (last != null) {
            last.get();
        }
        return offsets;
    }

    /** An unanswered commit is asked for again; its outcome is decided already. */
    private void commit() {
        for (int tries = 1; ; tries++) {
            try {
                producer.commitTransaction();
                return;
            } catch (TimeoutException e) {
                if (tries == COMMIT_TRIES) {
                    throw e;
                }
            }
        }
    }

    private void giveUp(int id, boolean isOpen) {
        if (producer == null) {
            return;
        }
        try {
            if (isOpen) {
                producer.abortTransaction();
                Worker.emit("abort", id);
                return;
            }
        } catch (KafkaException e) {
            Worker.note(group, e);
        }
        Worker.emit("unknown", id);
        producer.close(Duration.ZERO);
        producer = null;
    }
}
