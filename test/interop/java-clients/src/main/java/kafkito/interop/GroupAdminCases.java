package kafkito.interop;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** The Admin client on groups and their offsets. */
final class GroupAdminCases {

    private GroupAdminCases() {}

    static List<Case> all() {
        return List.of(
                new Case("Admin lists, describes and deletes groups (classic)", () -> life("classic", GroupType.CLASSIC)),
                new Case("Admin lists, describes and deletes groups (consumer)", () -> life("consumer", GroupType.CONSUMER)),
                new Case("Admin alters, lists and deletes the offsets of a group", GroupAdminCases::offsets));
    }

    private static void life(String protocol, GroupType type) throws Exception {
        String topic = Cluster.createTopic(2);
        String group = Cluster.unique("group");
        try (Admin admin = Cluster.admin()) {
            try (Member member = new Member(topic, group, "group.protocol", protocol, "client.id", "one")) {
                Member.pollUntil("the whole topic", List.of(member), () -> member.partitions.size() == 2);
                ConsumerGroupDescription described =
                        admin.describeConsumerGroups(List.of(group)).all().get().get(group);
                Check.equal("state", GroupState.STABLE, described.groupState());
                Check.equal("type", type, described.type());
                Check.equal("members", 1, described.members().size());
                MemberDescription only = described.members().iterator().next();
                Check.equal("client id", "one", only.clientId());
                Check.that(only.host().startsWith("/"), "the host of the member is " + only.host());
                Check.equal(
                        "assignment",
                        Set.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1)),
                        only.assignment().topicPartitions());
                if (type == GroupType.CONSUMER) {
                    Check.equal("member epoch", described.groupEpoch(), only.memberEpoch());
                    Check.equal("assignor", "uniform", described.partitionAssignor());
                } else {
                    Check.equal("assignor", "range", described.partitionAssignor());
                }
                var listing = new ListGroupsOptions().withTypes(Set.of(type)).inGroupStates(Set.of(GroupState.STABLE));
                Check.that(
                        admin.listGroups(listing).all().get().stream().map(GroupListing::groupId).anyMatch(group::equals),
                        "the group is not listed as stable");
                Check.refused(
                        "deleting the group with a member",
                        GroupNotEmptyException.class,
                        () -> admin.deleteConsumerGroups(List.of(group)).all().get());
            }
            ConsumerGroupDescription left = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            Check.equal("state without members", GroupState.EMPTY, left.groupState());
            admin.deleteConsumerGroups(List.of(group)).all().get();
            Check.refused(
                    "describing the deleted group",
                    GroupIdNotFoundException.class,
                    () -> admin.describeConsumerGroups(List.of(group)).all().get());
            Check.refused(
                    "deleting it once more",
                    GroupIdNotFoundException.class,
                    () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        }
    }

    private static Map<TopicPartition, OffsetAndMetadata> committed(Admin admin, String group) throws Exception {
        return admin.listConsumerGroupOffsets(Map.of(group, new ListConsumerGroupOffsetsSpec()))
                .partitionsToOffsetAndMetadata(group).get();
    }

    private static void offsets() throws Exception {
        String topic = Cluster.createTopic(2);
        String group = Cluster.unique("group");
        TopicPartition first = new TopicPartition(topic, 0);
        TopicPartition second = new TopicPartition(topic, 1);
        Cluster.send(topic, 0, List.of("a", "b", "c"));
        try (Admin admin = Cluster.admin()) {
            Check.equal("offsets of an unknown group", Map.of(), committed(admin, group));
            Map<TopicPartition, OffsetAndMetadata> wanted =
                    Map.of(first, new OffsetAndMetadata(1, "note"), second, new OffsetAndMetadata(0));
            admin.alterConsumerGroupOffsets(group, wanted).all().get();
            Check.equal("altered offset", 1L, committed(admin, group).get(first).offset());
            Check.equal("altered note", "note", committed(admin, group).get(first).metadata());
            try (Member member = new Member(topic, group)) {
                Member.pollUntil("the rest", List.of(member), () -> member.values.size() >= 2);
                Check.equal("what is read", List.of("b", "c"), member.values);
                Check.refused(
                        "altering while a member is in",
                        UnknownMemberIdException.class,
                        () -> admin.alterConsumerGroupOffsets(group, wanted).all().get());
                Check.refused(
                        "deleting the offset of a subscribed topic",
                        GroupSubscribedToTopicException.class,
                        () -> admin.deleteConsumerGroupOffsets(group, Set.of(first)).partitionResult(first).get());
            }
            admin.deleteConsumerGroupOffsets(group, Set.of(first)).all().get();
            Check.equal("offsets left", Set.of(second), committed(admin, group).keySet());
        }
    }
}
