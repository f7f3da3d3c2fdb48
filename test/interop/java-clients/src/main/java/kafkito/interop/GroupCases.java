package kafkito.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Consumer groups of both protocols. */
final class GroupCases {

    private static final Set<Integer> ALL = Set.of(0, 1, 2, 3);

    private GroupCases() {}

    static List<Case> all() {
        Object[] range = {
            "partition.assignment.strategy", RangeAssignor.class.getName(), "heartbeat.interval.ms", 300
        };
        Object[] cooperative = {
            "partition.assignment.strategy", CooperativeStickyAssignor.class.getName(), "heartbeat.interval.ms", 300
        };
        Object[] uniform = {"group.protocol", "consumer"};
        Object[] remoteRange = {"group.protocol", "consumer", "group.remote.assignor", "range"};
        return List.of(
                groupOfTwo("classic, range", range),
                groupOfTwo("classic, cooperative-sticky", cooperative),
                groupOfTwo("consumer protocol, uniform", uniform),
                groupOfTwo("consumer protocol, range", remoteRange),
                staticMember("classic", range),
                staticMember("consumer protocol", uniform),
                fencedInstance("classic", range),
                new Case("a group moves from the classic to the consumer protocol while it runs", GroupCases::upgrade),
                new Case("a subscription by a server side pattern finds new topics", GroupCases::pattern),
                new Case("a commit by a member that was removed is refused", GroupCases::removed),
                new Case("consumers find offsets by time, the beginning, the end and what is committed", GroupCases::positions));
    }

    private static List<String> sendRound(String topic, String label) throws Exception {
        List<String> sent = new ArrayList<>();
        for (int partition : ALL) {
            List<String> share = IntStream.range(0, 25).mapToObj(i -> label + " " + partition + " " + i).toList();
            Cluster.send(topic, partition, share);
            sent.addAll(share);
        }
        return sent.stream().sorted().toList();
    }

    private static Case groupOfTwo(String protocol, Object[] pairs) {
        String sentence = "two members of a group share the partitions, commit, and a later member resumes";
        return new Case(sentence + " (" + protocol + ")", () -> {
            String topic = Cluster.createTopic(4);
            String group = Cluster.unique("group");
            List<Member> members = new ArrayList<>();
            try {
                Member first = new Member(topic, group, pairs);
                members.add(first);
                Member.pollUntil("the whole topic", members, () -> first.partitions.equals(ALL));
                Member second = new Member(topic, group, pairs);
                members.add(second);
                Member.pollUntil(
                        "an even share",
                        members,
                        () -> first.partitions.size() == 2 && second.partitions.size() == 2);
                List<String> sent = sendRound(topic, "one");
                Member.pollUntil(
                        "half of the records", members, () -> first.values.size() >= 50 && second.values.size() >= 50);
                Check.equal(
                        "records of both",
                        sent,
                        Stream.concat(first.values.stream(), second.values.stream()).sorted().toList());
                first.consumer.commitSync();
                second.consumer.commitSync();
                members.remove(first);
                first.close();
                Member.pollUntil("the whole topic", members, () -> second.partitions.equals(ALL));
            } finally {
                members.forEach(Member::close);
            }
            List<String> sent = sendRound(topic, "two");
            try (Member third = new Member(topic, group, pairs)) {
                Member.pollUntil("the later records", List.of(third), () -> third.values.size() >= 100);
                Check.equal("records of the third member", sent, third.values.stream().sorted().toList());
            }
        });
    }

    private static Object[] with(Object[] pairs, Object... more) {
        return Stream.concat(Stream.of(pairs), Stream.of(more)).toArray();
    }

    private static Case staticMember(String protocol, Object[] pairs) {
        return new Case("a static member comes back without a rebalance (" + protocol + ")", () -> {
            String topic = Cluster.createTopic(2);
            String group = Cluster.unique("static");
            try (Member first = new Member(topic, group, with(pairs, "group.instance.id", "a"))) {
                Member second = new Member(topic, group, with(pairs, "group.instance.id", "b"));
                Member.pollUntil(
                        "an even share",
                        List.of(first, second),
                        () -> first.partitions.size() == 1 && second.partitions.size() == 1);
                int assignments = first.assignments;
                Set<Integer> owned = Set.copyOf(second.partitions);
                second.close();
                try (Member again = new Member(topic, group, with(pairs, "group.instance.id", "b"))) {
                    Member.pollUntil("the same partition", List.of(first, again), () -> again.partitions.equals(owned));
                    Check.equal("assignments of the member that stayed", assignments, first.assignments);
                }
            }
        });
    }

    private static Case fencedInstance(String protocol, Object[] pairs) {
        return new Case("a second member with the same instance id fences the first (" + protocol + ")", () -> {
            String topic = Cluster.createTopic(1);
            String group = Cluster.unique("fenced");
            Object[] settings = with(pairs, "group.instance.id", "a");
            try (Member first = new Member(topic, group, settings);
                    Member second = new Member(topic, group, settings)) {
                Member.pollUntil("an assignment", List.of(first), () -> first.partitions.size() == 1);
                Check.refused("the first member", KafkaException.class, () -> {
                    Member.pollUntil("a fence", List.of(second, first), () -> false);
                    return "still in";
                });
            }
        });
    }

    private static void upgrade() throws Exception {
        String topic = Cluster.createTopic(2);
        String group = Cluster.unique("upgrade");
        try (Member classic = new Member(topic, group, "heartbeat.interval.ms", 300, "session.timeout.ms", 10_000);
                Member young = new Member(topic, group, "group.protocol", "consumer")) {
            Member.pollUntil("the whole topic", List.of(classic), () -> classic.partitions.size() == 2);
            Member.pollUntil(
                    "an even share",
                    List.of(classic, young),
                    () -> classic.partitions.size() == 1 && young.partitions.size() == 1);
        }
    }

    private static void pattern() throws Exception {
        String prefix = Cluster.unique("pattern");
        try (Admin admin = Cluster.admin();
                KafkaConsumer<String, String> consumer =
                        Cluster.consumer("group.id", prefix, "group.protocol", "consumer", "metadata.max.age.ms", 1000)) {
            createNamed(admin, prefix + "-a");
            consumer.subscribe(new SubscriptionPattern(prefix + "-[a-c]"));
            Cluster.until(
                    () -> "an assignment", () -> consumer.assignment().size() == 1, () -> consumer.poll(Cluster.POLL));
            createNamed(admin, prefix + "-b");
            Cluster.until(
                    () -> "the new topic", () -> consumer.assignment().size() == 2, () -> consumer.poll(Cluster.POLL));
        }
    }

    private static void createNamed(Admin admin, String topic) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, 1, Cluster.replication())))
                .all().get();
    }

    private static void removed() throws Exception {
        String topic = Cluster.createTopic(1);
        String group = Cluster.unique("removed");
        Cluster.send(topic, 0, List.of("a"));
        try (Admin admin = Cluster.admin();
                Member member = new Member(topic, group, "heartbeat.interval.ms", 300)) {
            Member.pollUntil("the record", List.of(member), () -> member.values.size() == 1);
            admin.removeMembersFromConsumerGroup(
                            group, new RemoveMembersFromConsumerGroupOptions())
                    .all().get();
            Check.refused("the commit", CommitFailedException.class, () -> {
                member.consumer.commitSync();
                return "committed";
            });
        }
    }

    private static void positions() throws Exception {
        String topic = Cluster.createTopic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        Cluster.send(topic, 0, List.of("a", "b", "c"));
        try (KafkaConsumer<String, String> consumer = Cluster.consumer("group.id", Cluster.unique("positions"))) {
            consumer.assign(List.of(partition));
            Check.equal("beginning", 0L, consumer.beginningOffsets(List.of(partition)).get(partition));
            Check.equal("end", 3L, consumer.endOffsets(List.of(partition)).get(partition));
            var since = consumer.offsetsForTimes(Map.of(partition, 1L)).get(partition);
            Check.equal("since 1970", 0L, since.offset());
            Check.equal("committed", null, consumer.committed(Set.of(partition)).get(partition));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(2, "note")));
            OffsetAndMetadata committed = consumer.committed(Set.of(partition)).get(partition);
            Check.equal("committed offset", 2L, committed.offset());
            Check.equal("committed note", "note", committed.metadata());
            Check.equal("partitions", 1, consumer.partitionsFor(topic).size());
        }
    }
}
