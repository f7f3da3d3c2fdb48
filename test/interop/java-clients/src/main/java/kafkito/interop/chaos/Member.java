package kafkito.interop.chaos;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A member of a group of the consumer protocol that commits what it reads, and leaves and comes back now and then. */
final class Member implements Runnable {

    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration COMMIT = Duration.ofSeconds(10);
    private static final Duration STOP = Duration.ofSeconds(3);

    private final String bootstrap;
    private final String group;
    private final String name;
    private final List<String> topics;
    private int lives;

    Member(String bootstrap, String group, String name, List<String> topics) {
        this.bootstrap = bootstrap;
        this.group = group;
        this.name = name;
        this.topics = topics;
    }

    static KafkaConsumer<String, String> consumer(String bootstrap, Object... pairs) {
        var settings = Worker.settings(
                bootstrap,
                "auto.offset.reset", "earliest",
                "enable.auto.commit", false,
                "fetch.max.wait.ms", 200,
                "default.api.timeout.ms", 20_000);
        settings.putAll(Worker.settings(bootstrap, pairs));
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    @Override
    public void run() {
        boolean isDrained = false;
        while (!isDrained) {
            lives++;
            long endNanos = System.nanoTime() + Duration.ofMillis(ThreadLocalRandom.current().nextLong(5_000, 12_000)).toNanos();
            try (KafkaConsumer<String, String> consumer = consumer(bootstrap, "group.id", group, "group.protocol", "consumer")) {
                isDrained = live(consumer, endNanos);
            } catch (Exception e) {
                Worker.note(group, e);
            }
        }
    }

    /** Whether everything was read after the end was asked for. */
    private boolean live(KafkaConsumer<String, String> consumer, long endNanos) {
        String life = name + "-" + lives;
        consumer.subscribe(topics, new ConsumerRebalanceListener() {
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
                take(consumer, life, records);
            } else if (!Worker.isConsuming && isAtEnd(consumer, topics)) {
                return true;
            }
            if (System.nanoTime() > endNanos && Worker.isProducing) {
                return false;
            }
        }
    }

    /** Whether the whole group has committed all there is: what a member left behind may be owned by nobody for a while. */
    static boolean isAtEnd(KafkaConsumer<String, String> consumer, List<String> topics) {
        try {
            Set<TopicPartition> all = new HashSet<>();
            for (String topic : topics) {
                for (int partition = 0; partition < Produce.PARTITIONS; partition++) {
                    all.add(new TopicPartition(topic, partition));
                }
            }
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(all, STOP);
            return consumer.endOffsets(all, STOP).entrySet().stream().allMatch(end -> {
                OffsetAndMetadata offset = committed.get(end.getKey());
                return (offset == null ? 0 : offset.offset()) >= end.getValue();
            });
        } catch (Exception e) {
            return false;
        }
    }

    private void take(KafkaConsumer<String, String> consumer, String life, ConsumerRecords<String, String> records) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
            Worker.emit("got", group, life, record.topic(), record.partition(), record.offset(), record.value());
            offsets.put(
                    new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
        }
        offsets.forEach((one, offset) -> Worker.emit("trying", group, one.topic(), one.partition(), offset.offset()));
        try {
            consumer.commitSync(offsets, COMMIT);
            offsets.forEach((one, offset) -> Worker.emit("committed", group, one.topic(), one.partition(), offset.offset()));
        } catch (Exception e) {
            // The next commit includes it, or whoever takes the partition over reads it again.
            Worker.note(group, e);
        }
    }
}
