package kafkito.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Records come back as they were sent, whatever the producer's settings. */
final class ProducerCases {

    private ProducerCases() {}

    static List<Case> all() {
        List<Case> cases = new ArrayList<>();
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            cases.add(text("compression " + codec + ", acks=all, idempotent", "compression.type", codec));
        }
        cases.add(text("acks=all, not idempotent", "acks", "all", "enable.idempotence", false));
        cases.add(text("acks=1", "acks", "1", "enable.idempotence", false));
        cases.add(text("acks=0", "acks", "0", "enable.idempotence", false));
        cases.add(new Case("keys, headers, timestamps, empty and null values come back", ProducerCases::wholeRecords));
        cases.add(new Case("a producer spreads keys over partitions as Kafka's hash does", ProducerCases::keyHash));
        cases.add(new Case("a record that is too large is refused and the next one is not", ProducerCases::tooLarge));
        cases.add(new Case("a partition that does not exist is refused", ProducerCases::noSuchPartition));
        return cases;
    }

    private static Case text(String name, Object... pairs) {
        return new Case("100000 lines come back unchanged with " + name, () -> {
            String topic = Cluster.createTopic(1);
            List<String> lines = Cluster.lines();
            Cluster.send(topic, 0, lines, pairs);
            List<String> received = Cluster.values(Cluster.read(topic, lines.size()));
            Check.equal("count", lines.size(), received.size());
            Check.that(received.equals(lines), "the lines came back changed");
        });
    }

    private static void wholeRecords() throws Exception {
        String topic = Cluster.createTopic(1);
        try (KafkaProducer<String, String> producer = Cluster.producer()) {
            ProducerRecord<String, String> first = new ProducerRecord<>(topic, 0, 1_700_000_000_123L, "k", "");
            first.headers().add("one", "1".getBytes(StandardCharsets.UTF_8)).add("one", new byte[0]).add("none", null);
            Check.equal("offset", 0L, producer.send(first).get().offset());
            producer.send(new ProducerRecord<>(topic, 0, 1_700_000_000_456L, (String) null, (String) null)).get();
        }
        List<ConsumerRecord<String, String>> records = Cluster.read(topic, 2);
        ConsumerRecord<String, String> first = records.get(0);
        Check.equal("key", "k", first.key());
        Check.equal("value", "", first.value());
        Check.equal("timestamp", 1_700_000_000_123L, first.timestamp());
        Check.equal(
                "headers",
                List.of(
                        new RecordHeader("one", "1".getBytes(StandardCharsets.UTF_8)),
                        new RecordHeader("one", new byte[0]),
                        new RecordHeader("none", (byte[]) null)),
                StreamSupport.stream(first.headers().spliterator(), false).toList());
        Check.equal("second key", null, records.get(1).key());
        Check.equal("second value", null, records.get(1).value());
        Check.equal("second timestamp", 1_700_000_000_456L, records.get(1).timestamp());
    }

    private static void keyHash() throws Exception {
        String topic = Cluster.createTopic(6);
        try (KafkaProducer<String, String> producer = Cluster.producer()) {
            StringBuilder partitions = new StringBuilder();
            for (String key : List.of("a", "b", "c", "d", "e", "f")) {
                partitions.append(producer.send(new ProducerRecord<>(topic, key, "v")).get().partition());
            }
            Check.equal("partitions of a to f", "424523", partitions.toString());
        }
    }

    private static void tooLarge() throws Exception {
        String topic = Cluster.createTopic(1);
        try (KafkaProducer<String, String> producer = Cluster.producer("max.request.size", 10_000_000)) {
            ProducerRecord<String, String> large = new ProducerRecord<>(topic, 0, null, "x".repeat(2_000_000));
            Check.refused("two megabytes", RecordTooLargeException.class, () -> producer.send(large).get());
            producer.send(new ProducerRecord<>(topic, 0, null, "small")).get();
        }
        Check.equal("records", List.of("small"), Cluster.values(Cluster.read(topic, 1)));
    }

    private static void noSuchPartition() throws Exception {
        String topic = Cluster.createTopic(1);
        try (KafkaProducer<String, String> producer = Cluster.producer("max.block.ms", 1000)) {
            ProducerRecord<String, String> record = new ProducerRecord<>(topic, 5, null, "x");
            Check.refused("partition 5", TimeoutException.class, () -> producer.send(record).get());
        }
    }
}
