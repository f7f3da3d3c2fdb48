package kafkito.interop;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The Admin client on topics, their configs and their offsets. */
final class TopicAdminCases {

    private TopicAdminCases() {}

    static List<Case> all() {
        return List.of(
                new Case("Admin creates, describes, grows and deletes topics", TopicAdminCases::lifeCycle),
                new Case("Admin is refused topics that Kafka refuses", TopicAdminCases::refusedTopics),
                new Case("Admin sets, appends, subtracts and deletes topic configs", TopicAdminCases::configs),
                new Case("Admin is refused configs that Kafka refuses", TopicAdminCases::refusedConfigs),
                new Case("Admin sets broker configs that are dynamic", TopicAdminCases::brokerConfigs),
                new Case("Admin lists offsets of every spec", TopicAdminCases::listOffsets),
                new Case("Admin deletes records before an offset", TopicAdminCases::deleteRecords));
    }

    private static TopicDescription describe(Admin admin, String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    }

    private static void lifeCycle() throws Exception {
        String topic = Cluster.unique("topic");
        try (Admin admin = Cluster.admin()) {
            NewTopic wanted = new NewTopic(topic, 2, Cluster.replication()).configs(Map.of("retention.ms", "60000"));
            admin.createTopics(List.of(wanted), new CreateTopicsOptions().validateOnly(true)).all().get();
            Check.that(!admin.listTopics().names().get().contains(topic), "a validation made the topic");
            var created = admin.createTopics(List.of(wanted));
            Uuid id = created.topicId(topic).get();
            Check.equal("partitions", 2, created.numPartitions(topic).get());
            Check.equal("replicas", (int) Cluster.replication(), created.replicationFactor(topic).get());
            Check.equal("config", "60000", created.config(topic).get().get("retention.ms").value());
            Check.eventually("id", id, () -> describe(admin, topic).topicId());
            TopicDescription byName = describe(admin, topic);
            var ids = TopicCollection.ofTopicIds(List.of(id));
            Check.equal("name", topic, admin.describeTopics(ids).allTopicIds().get().get(id).name());
            Check.equal("internal", false, byName.isInternal());
            byName.partitions().forEach(one -> {
                Check.equal("in-sync replicas", one.replicas().size(), one.isr().size());
                Check.equal("leader", one.replicas().get(0).id(), one.leader().id());
            });
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
            Check.refused(
                    "fewer partitions",
                    InvalidPartitionsException.class,
                    () -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get());
            Check.eventually("partitions after growing", 5, () -> describe(admin, topic).partitions().size());
            admin.deleteTopics(ids).all().get();
            Check.eventuallyRefused(
                    "describing the deleted topic",
                    UnknownTopicOrPartitionException.class,
                    () -> describe(admin, topic));
            Check.refused(
                    "deleting the id once more", UnknownTopicIdException.class, () -> admin.deleteTopics(ids).all().get());
        }
    }

    private static void refusedTopics() throws Exception {
        String topic = Cluster.createTopic(1);
        String other = Cluster.unique("refused");
        try (Admin admin = Cluster.admin()) {
            Map<NewTopic, Class<? extends Exception>> refusals = Map.of(
                    new NewTopic(topic, 1, (short) 1), TopicExistsException.class,
                    new NewTopic("a b", 1, (short) 1), InvalidTopicException.class,
                    new NewTopic(".", 1, (short) 1), InvalidTopicException.class,
                    new NewTopic("x".repeat(250), 1, (short) 1), InvalidTopicException.class,
                    new NewTopic(other, 0, (short) 1), InvalidPartitionsException.class,
                    new NewTopic(other, 1, (short) 99), InvalidReplicationFactorException.class,
                    new NewTopic(other, Map.of(0, List.of(1, 1))), InvalidReplicaAssignmentException.class,
                    new NewTopic(other, Map.of(1, List.of(1))), InvalidReplicaAssignmentException.class,
                    new NewTopic(other, 1, (short) 1).configs(Map.of("cleanup.policy", "burn")),
                            InvalidConfigurationException.class);
            for (var refusal : refusals.entrySet()) {
                NewTopic wanted = refusal.getKey();
                Check.refused(
                        wanted.toString(), refusal.getValue(), () -> admin.createTopics(List.of(wanted)).all().get());
            }
            NewTopic defaults = new NewTopic(other, Optional.empty(), Optional.empty());
            admin.createTopics(List.of(defaults)).all().get();
        }
    }

    private static void alter(Admin admin, ConfigResource resource, OpType operation, String name, String value)
            throws Exception {
        Collection<AlterConfigOp> operations = List.of(new AlterConfigOp(new ConfigEntry(name, value), operation));
        admin.incrementalAlterConfigs(Map.of(resource, operations)).all().get();
    }

    private static ConfigEntry entry(Admin admin, ConfigResource resource, String name) throws Exception {
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        return config.get(name);
    }

    private static void configs() throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, Cluster.createTopic(1));
        try (Admin admin = Cluster.admin()) {
            Check.equal("source", ConfigSource.DEFAULT_CONFIG, entry(admin, topic, "cleanup.policy").source());
            alter(admin, topic, OpType.SET, "cleanup.policy", "compact");
            Check.eventually("set", "compact", () -> entry(admin, topic, "cleanup.policy").value());
            Check.equal("source", ConfigSource.DYNAMIC_TOPIC_CONFIG, entry(admin, topic, "cleanup.policy").source());
            alter(admin, topic, OpType.APPEND, "cleanup.policy", "delete");
            Check.eventually("append", "compact,delete", () -> entry(admin, topic, "cleanup.policy").value());
            alter(admin, topic, OpType.SUBTRACT, "cleanup.policy", "compact");
            Check.eventually("subtract", "delete", () -> entry(admin, topic, "cleanup.policy").value());
            alter(admin, topic, OpType.DELETE, "cleanup.policy", null);
            Check.eventually(
                    "delete", ConfigSource.DEFAULT_CONFIG, () -> entry(admin, topic, "cleanup.policy").source());
            ConfigEntry retention = entry(admin, topic, "retention.ms");
            Check.equal("default of retention.ms", "604800000", retention.value());
            Check.equal("type of retention.ms", ConfigEntry.ConfigType.LONG, retention.type());
            Check.that(admin.listConfigResources().all().get().contains(topic), "the topic is no config resource");
        }
    }

    private static void refusedConfigs() throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, Cluster.createTopic(1));
        ConfigResource missing = new ConfigResource(ConfigResource.Type.TOPIC, Cluster.unique("missing"));
        try (Admin admin = Cluster.admin()) {
            for (var refusal : Map.of(
                            "retention.ms", "soon", "no.such.config", "1", "compression.type", "rar",
                            "min.insync.replicas", "0", "segment.bytes", "1")
                    .entrySet()) {
                Check.refused(refusal.toString(), InvalidConfigurationException.class, () -> {
                    alter(admin, topic, OpType.SET, refusal.getKey(), refusal.getValue());
                    return "altered";
                });
            }
            Check.refused("append to a number", InvalidConfigurationException.class, () -> {
                alter(admin, topic, OpType.APPEND, "retention.ms", "1");
                return "altered";
            });
            Check.refused("a missing topic", UnknownTopicOrPartitionException.class, () -> {
                alter(admin, missing, OpType.SET, "retention.ms", "1");
                return "altered";
            });
            Check.refused(
                    "describing a missing topic",
                    UnknownTopicOrPartitionException.class,
                    () -> entry(admin, missing, "retention.ms"));
        }
    }

    private static void brokerConfigs() throws Exception {
        try (Admin admin = Cluster.admin()) {
            String id = admin.describeCluster().nodes().get().iterator().next().idString();
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, id);
            alter(admin, broker, OpType.SET, "log.cleaner.threads", "2");
            Check.eventually("log.cleaner.threads", "2", () -> entry(admin, broker, "log.cleaner.threads").value());
            ConfigEntry changed = entry(admin, broker, "log.cleaner.threads");
            Check.equal("source", ConfigSource.DYNAMIC_BROKER_CONFIG, changed.source());
            alter(admin, broker, OpType.DELETE, "log.cleaner.threads", null);
            Check.equal("a config of the file", true, entry(admin, broker, "node.id").isReadOnly());
            Check.refused("a static config", InvalidRequestException.class, () -> {
                alter(admin, broker, OpType.SET, "node.id", "7");
                return "altered";
            });
        }
    }

    private static void listOffsets() throws Exception {
        String topic = Cluster.createTopic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = Cluster.producer();
                Admin admin = Cluster.admin()) {
            for (long timestamp : List.of(1000L, 3000L, 2000L)) {
                producer.send(new ProducerRecord<>(topic, 0, timestamp, null, "x")).get();
            }
            Map<OffsetSpec, Long> specs = Map.of(
                    OffsetSpec.earliest(), 0L,
                    OffsetSpec.latest(), 3L,
                    OffsetSpec.maxTimestamp(), 1L,
                    OffsetSpec.earliestLocal(), 0L,
                    OffsetSpec.latestTiered(), -1L,
                    OffsetSpec.forTimestamp(1500), 1L,
                    OffsetSpec.forTimestamp(9999), -1L);
            for (var spec : specs.entrySet()) {
                var listed = admin.listOffsets(Map.of(partition, spec.getKey())).partitionResult(partition).get();
                Check.equal(spec.getKey().getClass().getSimpleName(), spec.getValue(), listed.offset());
            }
            var committed = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);
            var stable = admin.listOffsets(Map.of(partition, OffsetSpec.latest()), committed);
            Check.equal("last stable offset", 3L, stable.partitionResult(partition).get().offset());
            TopicPartition missing = new TopicPartition(topic, 9);
            Check.refused(
                    "a missing partition",
                    UnknownTopicOrPartitionException.class,
                    () -> {
                        var options = new ListOffsetsOptions();
                        options.timeoutMs(2000);
                        try {
                            return admin.listOffsets(Map.of(missing, OffsetSpec.latest()), options).all().get();
                        } catch (ExecutionException e) {
                            // The client retries what it takes for stale metadata until its time is up.
                            throw e.getCause() instanceof TimeoutException
                                    ? new UnknownTopicOrPartitionException()
                                    : e;
                        }
                    });
        }
    }

    private static void deleteRecords() throws Exception {
        String topic = Cluster.createTopic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        Cluster.send(topic, 0, List.of("a", "b", "c"));
        try (Admin admin = Cluster.admin()) {
            var deleted = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(2)));
            Check.equal("low watermark", 2L, deleted.lowWatermarks().get(partition).get().lowWatermark());
            Check.equal("what is left", List.of("c"), Cluster.values(Cluster.read(topic, 1)));
            Check.refused(
                    "beyond the end",
                    OffsetOutOfRangeException.class,
                    () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(9))).all().get());
            var all = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1)));
            Check.equal("all of them", 3L, all.lowWatermarks().get(partition).get().lowWatermark());
            Check.equal(
                    "earliest",
                    Set.of(3L),
                    Set.of(admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset()));
        }
    }
}
