package kafkito.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FenceProducersOptions;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;

/** Transactions as their readers, their rivals and the operator see them. */
final class TransactionCases {

    private static final Object[] COMMITTED = {"isolation.level", "read_committed"};

    private TransactionCases() {}

    static List<Case> all() {
        return List.of(
                new Case(
                        "a read_committed consumer sees the committed transactions and not the aborted one",
                        TransactionCases::commitAndAbort),
                new Case("an open transaction holds back readers of committed records", TransactionCases::open),
                new Case("consumed offsets commit and abort with the transaction", TransactionCases::offsets),
                new Case("a new producer of the same transactional id fences the old one", TransactionCases::fencing),
                new Case("Admin.fenceProducers fences a producer", TransactionCases::fenceProducers),
                new Case("Admin describes and lists transactions and producers", TransactionCases::describe),
                new Case("Admin.abortTransaction ends a transaction that hangs", TransactionCases::abortHanging),
                new Case("a transaction that times out is aborted", TransactionCases::timeout));
    }

    private static void commitAndAbort() throws Exception {
        String topic = Cluster.createTopic(1);
        try (KafkaProducer<String, String> producer = Cluster.transactional(Cluster.unique("tx"))) {
            producer.initTransactions();
            for (String round : List.of("a", "b", "c")) {
                producer.beginTransaction();
                Cluster.sendWith(producer, topic, 0, List.of(round + 1, round + 2));
                if (round.equals("b")) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
        List<String> committed = Cluster.values(Cluster.read(topic, 4, COMMITTED));
        Check.equal("read_committed", List.of("a1", "a2", "c1", "c2"), committed);
        List<String> all = Cluster.values(Cluster.read(topic, 6));
        Check.equal("read_uncommitted", List.of("a1", "a2", "b1", "b2", "c1", "c2"), all);
    }

    private static long endOffset(String topic, Object... pairs) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer = Cluster.consumer(pairs)) {
            return consumer.endOffsets(List.of(partition)).get(partition);
        }
    }

    private static void open() throws Exception {
        String topic = Cluster.createTopic(1);
        Cluster.send(topic, 0, List.of("before"));
        try (KafkaProducer<String, String> producer = Cluster.transactional(Cluster.unique("tx"))) {
            producer.initTransactions();
            producer.beginTransaction();
            Cluster.sendWith(producer, topic, 0, List.of("open"));
            Cluster.send(topic, 0, List.of("after"));
            Check.equal("last stable offset", 1L, endOffset(topic, COMMITTED));
            Check.equal("end offset", 3L, endOffset(topic));
            producer.commitTransaction();
        }
        List<String> committed = Cluster.values(Cluster.read(topic, 3, COMMITTED));
        Check.equal("after the commit", List.of("before", "open", "after"), committed);
    }

    private static void offsets() throws Exception {
        String source = Cluster.createTopic(1);
        String target = Cluster.createTopic(1);
        TopicPartition partition = new TopicPartition(source, 0);
        Cluster.send(source, 0, List.of("1", "2", "3", "4"));
        try (KafkaProducer<String, String> producer = Cluster.transactional(Cluster.unique("tx"));
                KafkaConsumer<String, String> consumer =
                        Cluster.consumer(
                                "group.id", Cluster.unique("tx-group"),
                                "max.poll.records", 2,
                                "isolation.level", "read_committed")) {
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            for (boolean isCommitted : new boolean[] {true, false}) {
                List<String> values = new ArrayList<>();
                Cluster.until(
                        () -> "two records, there were " + values,
                        () -> values.size() == 2,
                        () -> consumer.poll(Cluster.POLL).forEach(record -> values.add(record.value())));
                producer.beginTransaction();
                Cluster.sendWith(producer, target, 0, values);
                Map<TopicPartition, OffsetAndMetadata> offsets =
                        Map.of(partition, new OffsetAndMetadata(consumer.position(partition)));
                producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
                if (isCommitted) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
                Check.equal("committed offset", 2L, consumer.committed(Set.of(partition)).get(partition).offset());
            }
        }
        Check.equal("forwarded", List.of("1", "2"), Cluster.values(Cluster.read(target, 2, COMMITTED)));
    }

    private static void checkFenced(KafkaProducer<String, String> producer) {
        // Which of the fencing exceptions it is depends on the request that hears of it first.
        Check.refused("the fenced producer", KafkaException.class, () -> {
            producer.commitTransaction();
            return "committed";
        });
    }

    private static void fencing() throws Exception {
        String topic = Cluster.createTopic(1);
        String name = Cluster.unique("tx");
        try (KafkaProducer<String, String> old = Cluster.transactional(name);
                KafkaProducer<String, String> young = Cluster.transactional(name)) {
            old.initTransactions();
            old.beginTransaction();
            Cluster.sendWith(old, topic, 0, List.of("old"));
            young.initTransactions();
            checkFenced(old);
            young.beginTransaction();
            Cluster.sendWith(young, topic, 0, List.of("new"));
            young.commitTransaction();
        }
        Check.equal("read_committed", List.of("new"), Cluster.values(Cluster.read(topic, 1, COMMITTED)));
    }

    private static void fenceProducers() throws Exception {
        String topic = Cluster.createTopic(1);
        String name = Cluster.unique("tx");
        try (KafkaProducer<String, String> producer = Cluster.transactional(name);
                Admin admin = Cluster.admin()) {
            producer.initTransactions();
            producer.beginTransaction();
            Cluster.sendWith(producer, topic, 0, List.of("old"));
            var fenced = admin.fenceProducers(List.of(name), new FenceProducersOptions());
            fenced.all().get();
            Check.that(fenced.producerId(name).get() >= 0, "no producer id");
            checkFenced(producer);
        }
    }

    private static void describe() throws Exception {
        String topic = Cluster.createTopic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        String name = Cluster.unique("tx");
        try (KafkaProducer<String, String> producer = Cluster.transactional(name);
                Admin admin = Cluster.admin()) {
            Check.refused(
                    "an unknown transactional id",
                    TransactionalIdNotFoundException.class,
                    () -> admin.describeTransactions(List.of(name)).description(name).get());
            producer.initTransactions();
            producer.beginTransaction();
            Cluster.sendWith(producer, topic, 0, List.of("a"));
            TransactionDescription ongoing = admin.describeTransactions(List.of(name)).description(name).get();
            Check.equal("state", TransactionState.ONGOING, ongoing.state());
            Check.equal("partitions", Set.of(partition), ongoing.topicPartitions());
            Check.that(ongoing.transactionStartTimeMs().isPresent(), "no start time");
            ProducerState state =
                    admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
            Check.equal("producer id", ongoing.producerId(), state.producerId());
            Check.equal("transaction start", 0L, state.currentTransactionStartOffset().orElse(-1));
            Check.equal("last sequence", 0, state.lastSequence());
            List<TransactionListing> listed = admin.listTransactions(
                            new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING)))
                    .all().get().stream().filter(one -> one.transactionalId().equals(name)).toList();
            Check.equal("listed", 1, listed.size());
            var pattern = new ListTransactionsOptions().filterOnTransactionalIdPattern(name.substring(0, 12) + ".*");
            Check.that(!admin.listTransactions(pattern).all().get().isEmpty(), "nothing listed by pattern");
            producer.commitTransaction();
            // The coordinator answers the commit before every marker is written.
            Check.eventually("state", TransactionState.COMPLETE_COMMIT, () -> state(admin, name));
        }
    }

    private static TransactionState state(Admin admin, String name) throws Exception {
        return admin.describeTransactions(List.of(name)).description(name).get().state();
    }

    private static void abortHanging() throws Exception {
        String topic = Cluster.createTopic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = Cluster.transactional(Cluster.unique("tx"));
                Admin admin = Cluster.admin()) {
            producer.initTransactions();
            producer.beginTransaction();
            Cluster.sendWith(producer, topic, 0, List.of("hangs"));
            ProducerState state =
                    admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
            admin.abortTransaction(new AbortTransactionSpec(
                            partition, state.producerId(), (short) state.producerEpoch(), state.coordinatorEpoch().orElse(0)))
                    .all().get();
            Check.eventually("last stable offset after the abort", 2L, () -> endOffset(topic, COMMITTED));
        }
    }

    private static void timeout() throws Exception {
        String topic = Cluster.createTopic(1);
        String name = Cluster.unique("tx");
        try (KafkaProducer<String, String> producer =
                        Cluster.producer("transactional.id", name, "transaction.timeout.ms", 1000);
                Admin admin = Cluster.admin()) {
            producer.initTransactions();
            producer.beginTransaction();
            Cluster.sendWith(producer, topic, 0, List.of("late"));
            Check.eventually("state", TransactionState.COMPLETE_ABORT, () -> state(admin, name));
            Check.refused("the late commit", KafkaException.class, () -> {
                producer.commitTransaction();
                return "committed";
            });
        }
        Check.eventually("last stable offset", 2L, () -> endOffset(topic, COMMITTED));
    }
}
