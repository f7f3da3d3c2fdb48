package kafkito.interop;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Share groups: records are acquired, accepted, released or rejected one by one. */
final class ShareCases {

    private ShareCases() {}

    static List<Case> all() {
        return List.of(
                new Case("two members of a share group accept every record once", ShareCases::twoMembers),
                new Case("a share group hands released records out again and rejected ones not", ShareCases::acknowledge));
    }

    private static String groupFromStart() throws Exception {
        String group = Cluster.unique("share");
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        ConfigEntry entry = new ConfigEntry("share.auto.offset.reset", "earliest");
        try (Admin admin = Cluster.admin()) {
            admin.incrementalAlterConfigs(
                            Map.of(resource, List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))))
                    .all().get();
        }
        return group;
    }

    private static KafkaShareConsumer<String, String> consumer(String topic, String group, String mode) {
        KafkaShareConsumer<String, String> consumer = new KafkaShareConsumer<>(
                Cluster.settings(
                        "group.id", group,
                        "share.acknowledgement.mode", mode,
                        "fetch.max.wait.ms", 200,
                        "max.poll.records", 10),
                new StringDeserializer(),
                new StringDeserializer());
        consumer.subscribe(List.of(topic));
        return consumer;
    }

    private static void twoMembers() throws Exception {
        String topic = Cluster.createTopic(1);
        String group = groupFromStart();
        List<String> sent = IntStream.range(0, 200).mapToObj(Integer::toString).toList();
        for (int start = 0; start < 200; start += 10) {
            Cluster.send(topic, 0, sent.subList(start, start + 10)); // a batch is the least that is acquired
        }
        List<String> received = new ArrayList<>();
        try (var first = consumer(topic, group, "implicit");
                var second = consumer(topic, group, "implicit");
                Admin admin = Cluster.admin()) {
            Cluster.until(
                    () -> "200 records, " + received.size() + " came",
                    () -> received.size() >= 200,
                    () -> {
                        first.poll(Cluster.POLL).forEach(record -> received.add(record.value()));
                        second.poll(Cluster.POLL).forEach(record -> received.add(record.value()));
                    });
            first.commitSync();
            second.commitSync();
            Check.equal("records", new HashSet<>(sent), new HashSet<>(received));
            Check.equal("count", 200, received.size());
            ShareGroupDescription described =
                    admin.describeShareGroups(List.of(group)).describedGroups().get(group).get();
            Check.equal("state", GroupState.STABLE, described.groupState());
            Check.equal("members", 2, described.members().size());
        }
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Admin admin = Cluster.admin()) {
            var offsets = admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()));
            // What is persisted may trail by the last acknowledgement, which is of ten records at most.
            long startOffset = offsets.partitionsToOffsetInfo(group).get().get(partition).startOffset();
            Check.that(startOffset >= 190 && startOffset <= 200, "start offset is " + startOffset);
        }
    }

    private static void acknowledge() throws Exception {
        String topic = Cluster.createTopic(1);
        String group = groupFromStart();
        Cluster.send(topic, 0, List.of("accept", "release", "reject"));
        List<String> received = new ArrayList<>();
        try (var consumer = consumer(topic, group, "explicit")) {
            Cluster.until(
                    () -> "four deliveries, there were " + received,
                    () -> received.size() >= 4,
                    () -> {
                        for (ConsumerRecord<String, String> record : consumer.poll(Cluster.POLL)) {
                            short count = record.deliveryCount().orElse((short) 0);
                            received.add(record.value() + " " + count);
                            consumer.acknowledge(record, decide(record.value(), count));
                        }
                        consumer.commitSync();
                    });
        }
        Check.equal(
                "deliveries", Set.of("accept 1", "release 1", "release 2", "reject 1"), new HashSet<>(received));
    }

    private static AcknowledgeType decide(String value, short deliveryCount) {
        return switch (value) {
            case "release" -> deliveryCount == 1 ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT;
            case "reject" -> AcknowledgeType.REJECT;
            default -> AcknowledgeType.ACCEPT;
        };
    }
}
