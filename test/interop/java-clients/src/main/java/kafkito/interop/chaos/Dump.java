package kafkito.interop.chaos;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** Prints what a read_committed reader finds in the topics from their beginnings to their ends. */
final class Dump {

    private Dump() {}

    static void run(String bootstrap, List<String> topics) {
        try (KafkaConsumer<String, String> consumer = Member.consumer(bootstrap, "isolation.level", "read_committed")) {
            List<TopicPartition> partitions = topics.stream()
                    .flatMap(topic -> consumer.partitionsFor(topic).stream())
                    .map(one -> new TopicPartition(one.topic(), one.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
                consumer.poll(Duration.ofMillis(200)).forEach(record ->
                        Worker.emit("record", record.topic(), record.partition(), record.offset(), record.value()));
            }
        }
    }
}
