package kafkito.interop;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/** Kafka Streams: its internal topics, its state and its transactions. */
final class StreamsCases {

    private static final int WORDS = 10;
    private static final int REPEATS = 60;
    /** As in pom.xml. */
    private static final String STREAMS_VERSION = "4.3.1";
    private static final String STORE = "counts";

    private StreamsCases() {}

    /** None with clients of another version: Streams uses what is inside of them. */
    static List<Case> all() {
        if (!clientsVersion().equals(STREAMS_VERSION)) {
            return List.of();
        }
        return List.of(new Case(
                "Kafka Streams counts exactly once although an instance fails within a transaction and its state is lost",
                StreamsCases::exactlyOnce));
    }

    private static String clientsVersion() {
        Properties about = new Properties();
        try (InputStream input = Admin.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            about.load(input);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return about.getProperty("version");
    }

    /** The processor of the first instance gave up, as it was told to. */
    private static final class GivenUp extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Counts words; the records go through a repartition topic, the counts into a changelog. */
    private static Topology topology(String from, String to, int failsAfter) {
        AtomicInteger seen = new AtomicInteger();
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(from)
                .groupBy((key, word) -> word)
                .count(Materialized.as(STORE))
                .toStream()
                .peek((word, count) -> {
                    if (seen.incrementAndGet() > failsAfter) {
                        throw new GivenUp();
                    }
                })
                .mapValues(String::valueOf)
                .to(to, Produced.with(Serdes.String(), Serdes.String()));
        return builder.build();
    }

    private static Properties settings(String application, Path state) {
        Properties settings = new Properties();
        settings.putAll(Cluster.settings(
                StreamsConfig.APPLICATION_ID_CONFIG, application,
                StreamsConfig.STATE_DIR_CONFIG, state.toString(),
                StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2,
                StreamsConfig.REPLICATION_FACTOR_CONFIG, (int) Cluster.replication(),
                // Every update is sent on, so that a reader can count them.
                StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0,
                StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1,
                StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class,
                StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                // An instance of Streams does not leave its group: its partitions are free when its session ends.
                ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 6_000,
                ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 1_000,
                StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 10_000));
        return settings;
    }

    private static void exactlyOnce() throws Exception {
        String application = Cluster.unique("streams");
        String from = Cluster.createTopic(2);
        String to = Cluster.createTopic(1);
        Path state = Files.createTempDirectory("interop-streams-");
        List<String> words = IntStream.range(0, WORDS * REPEATS).mapToObj(i -> "word-" + i % WORDS).toList();
        try {
            Cluster.send(from, 0, words.subList(0, 200));
            Cluster.send(from, 1, words.subList(200, 400));
            try (KafkaStreams first = new KafkaStreams(topology(from, to, 250), settings(application, state.resolve("a")))) {
                first.setUncaughtExceptionHandler(error -> StreamThreadExceptionResponse.SHUTDOWN_CLIENT);
                first.start();
                Cluster.until(
                        () -> "the failure of the first instance, which is " + first.state(),
                        () -> first.state() == KafkaStreams.State.ERROR,
                        () -> Thread.sleep(20));
            }
            checkInternalTopics(application);
            // The second instance has a directory of its own: what was counted comes from the changelog.
            try (KafkaStreams second =
                    new KafkaStreams(topology(from, to, Integer.MAX_VALUE), settings(application, state.resolve("b")))) {
                second.start();
                Cluster.send(from, 0, words.subList(400, words.size()));
                checkCounts(Cluster.read(to, words.size(), ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"));
                second.close(Duration.ofSeconds(30));
            }
        } finally {
            delete(state);
        }
    }

    /** Each word has been counted from 1 up, without a gap and without a number twice. */
    private static void checkCounts(Collection<ConsumerRecord<String, String>> records) {
        Map<String, List<String>> counts = new HashMap<>();
        records.forEach(record -> counts.computeIfAbsent(record.key(), word -> new ArrayList<>()).add(record.value()));
        List<String> expected = IntStream.rangeClosed(1, REPEATS).mapToObj(String::valueOf).toList();
        Check.equal("words", WORDS, counts.size());
        counts.forEach((word, seen) -> Check.equal("counts of " + word, expected, seen));
    }

    private static Set<String> internalTopics(Admin admin, String application) throws Exception {
        Set<String> topics = new TreeSet<>(admin.listTopics().names().get());
        topics.removeIf(topic -> !topic.startsWith(application));
        return topics;
    }

    private static void checkInternalTopics(String application) throws Exception {
        String prefix = application + "-" + STORE;
        try (Admin admin = Cluster.admin()) {
            Set<String> expected = Set.of(prefix + "-changelog", prefix + "-repartition");
            Check.eventually("internal topics", expected, () -> internalTopics(admin, application));
            ConfigResource changelog = new ConfigResource(ConfigResource.Type.TOPIC, prefix + "-changelog");
            Config config = admin.describeConfigs(List.of(changelog)).all().get().get(changelog);
            Check.equal("cleanup.policy of the changelog", "compact", config.get("cleanup.policy").value());
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
