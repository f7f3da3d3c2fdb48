package kafkito.interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** A group member with what it owns and what it has read; {@link #pollUntil} drives several of them in turn. */
final class Member implements AutoCloseable {

    final KafkaConsumer<String, String> consumer;
    final List<String> values = new ArrayList<>();
    final Set<Integer> partitions = new TreeSet<>();
    int assignments;

    Member(String topic, String group, Object... pairs) {
        List<Object> settings = new ArrayList<>(List.of("group.id", group));
        settings.addAll(List.of(pairs));
        consumer = Cluster.consumer(settings.toArray());
        consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> added) {
                assignments++;
                added.forEach(one -> partitions.add(one.partition()));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> removed) {
                removed.forEach(one -> partitions.remove(one.partition()));
            }
        });
    }

    static void pollUntil(String what, List<Member> members, Cluster.Condition condition) throws Exception {
        Cluster.until(() -> what + " by " + members, condition, () -> {
            for (Member member : members) {
                for (ConsumerRecord<String, String> record : member.consumer.poll(Cluster.POLL)) {
                    member.values.add(record.value());
                }
            }
        });
    }

    @Override
    public String toString() {
        return partitions + " with " + values.size() + " records";
    }

    @Override
    public void close() {
        consumer.close();
    }
}
