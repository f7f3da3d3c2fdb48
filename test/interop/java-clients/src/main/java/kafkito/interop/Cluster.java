package kafkito.interop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The cluster under test: clients for it, topics on it, and records into and out of it. */
final class Cluster {

    static final Duration POLL = Duration.ofMillis(100);
    private static final long DEADLINE_NANOS = Duration.ofSeconds(60).toNanos();

    private Cluster() {}

    /** A condition that polling is to bring about. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    /** One round of work towards the condition. */
    @FunctionalInterface
    interface Step {
        void run() throws Exception;
    }

    static String unique(String prefix) {
        return "java-" + prefix + "-" + UUID.randomUUID().toString().substring(0, 13);
    }

    static short replication() {
        return Short.parseShort(System.getenv().getOrDefault("REPLICATION", "1"));
    }

    static List<String> lines() throws IOException {
        return Files.readAllLines(Path.of(System.getenv("LINES_FILE")), StandardCharsets.UTF_8);
    }

    static Map<String, Object> settings(Object... pairs) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        settings.put("retry.backoff.ms", 20);
        settings.put("reconnect.backoff.ms", 20);
        for (int i = 0; i < pairs.length; i += 2) {
            settings.put((String) pairs[i], pairs[i + 1]);
        }
        return settings;
    }

    static Admin admin() {
        return Admin.create(settings());
    }

    static KafkaProducer<String, String> producer(Object... pairs) {
        Map<String, Object> settings = settings(ProducerConfig.LINGER_MS_CONFIG, 5);
        settings.putAll(settings(pairs));
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    static KafkaProducer<String, String> transactional(String transactionalId) {
        return producer(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
    }

    static KafkaConsumer<String, String> consumer(Object... pairs) {
        Map<String, Object> settings = settings(
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false,
                ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 200,
                ConsumerConfig.METADATA_MAX_AGE_CONFIG, 10_000);
        settings.putAll(settings(pairs));
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static String createTopic(int partitions) throws Exception {
        String topic = unique("topic");
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, replication()))).all().get();
            Check.eventually(
                    "partitions of the new topic",
                    partitions,
                    () -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
        }
        return topic;
    }

    /** Sends the values to one partition and waits for every acknowledgement. */
    static void send(String topic, int partition, List<String> values, Object... pairs) throws Exception {
        try (KafkaProducer<String, String> producer = producer(pairs)) {
            sendWith(producer, topic, partition, values);
        }
    }

    static void sendWith(KafkaProducer<String, String> producer, String topic, int partition, List<String> values)
            throws ExecutionException, InterruptedException {
        List<Future<RecordMetadata>> sent = new ArrayList<>(values.size());
        for (String value : values) {
            sent.add(producer.send(new ProducerRecord<>(topic, partition, null, value)));
        }
        producer.flush();
        for (Future<RecordMetadata> one : sent) {
            one.get();
        }
    }

    /** Reads partition 0 from its beginning until so many records have come. */
    static List<ConsumerRecord<String, String>> read(String topic, int count, Object... pairs) throws Exception {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(pairs)) {
            List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            until(
                    () -> count + " records, " + records.size() + " came",
                    () -> records.size() >= count,
                    () -> consumer.poll(POLL).forEach(records::add));
        }
        return records;
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).toList();
    }

    /** Takes steps, each of which waits for the cluster itself, until the condition holds. */
    static void until(Supplier<String> what, Condition condition, Step step) throws Exception {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (!condition.holds()) {
            Check.that(System.nanoTime() < deadline, "not in time: " + what.get());
            step.run();
        }
    }
}
