package kafkito.interop;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;

/** The Admin client on the cluster as a whole. */
final class ClusterAdminCases {

    private ClusterAdminCases() {}

    static List<Case> all() {
        return List.of(
                new Case("Admin describes the cluster", ClusterAdminCases::cluster),
                new Case("Admin describes the features", ClusterAdminCases::features),
                new Case("Admin describes the metadata quorum", ClusterAdminCases::quorum),
                new Case("Admin describes the log directories", ClusterAdminCases::logDirs),
                new Case("Admin is told that no election is needed and no reassignment runs", ClusterAdminCases::elections),
                new Case("Admin is told that no authorizer is configured", ClusterAdminCases::acls),
                new Case("Admin alters and describes client quotas", ClusterAdminCases::quotas));
    }

    private static void cluster() throws Exception {
        try (Admin admin = Cluster.admin()) {
            var described = admin.describeCluster();
            var nodes = described.nodes().get();
            Check.equal("cluster id length", 22, described.clusterId().get().length());
            Check.that(nodes.stream().map(Node::id).toList().contains(described.controller().get().id()), "no controller");
            Check.equal("distinct addresses", nodes.size(), Set.copyOf(nodes.stream().map(Node::port).toList()).size());
        }
    }

    private static void features() throws Exception {
        try (Admin admin = Cluster.admin()) {
            FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
            for (String name : List.of("metadata.version", "transaction.version", "group.version", "share.version")) {
                Check.that(features.supportedFeatures().containsKey(name), name + " is not supported");
            }
            for (var feature : features.finalizedFeatures().entrySet()) {
                short level = feature.getValue().maxVersionLevel();
                var range = features.supportedFeatures().get(feature.getKey());
                Check.that(
                        range != null && level <= range.maxVersion(), feature.getKey() + " is finalized at " + level);
            }
            Check.equal("transaction.version", (short) 2, features.finalizedFeatures().get("transaction.version").maxVersionLevel());
        }
    }

    private static void quorum() throws Exception {
        try (Admin admin = Cluster.admin()) {
            QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
            var leader = quorum.voters().stream().filter(one -> one.replicaId() == quorum.leaderId()).toList();
            Check.equal("leader among the voters", 1, leader.size());
            Check.that(quorum.highWatermark() > 0, "high watermark is " + quorum.highWatermark());
            Check.that(leader.get(0).logEndOffset() >= quorum.highWatermark(), "the leader is behind");
        }
    }

    private static void logDirs() throws Exception {
        String topic = Cluster.createTopic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        Cluster.send(topic, 0, List.of("a", "b", "c"));
        try (Admin admin = Cluster.admin()) {
            List<Integer> ids = admin.describeCluster().nodes().get().stream().map(Node::id).toList();
            var described = admin.describeLogDirs(ids).allDescriptions().get();
            Check.equal("brokers", Set.copyOf(ids), described.keySet());
            List<Long> sizes = described.values().stream()
                    .flatMap(one -> one.values().stream())
                    .map(LogDirDescription::replicaInfos)
                    .filter(one -> one.containsKey(partition))
                    .map(one -> one.get(partition).size())
                    .toList();
            Check.equal("replicas", (int) Cluster.replication(), sizes.size());
            Check.that(sizes.get(0) > 0, "the replica has " + sizes.get(0) + " bytes");
        }
    }

    private static void elections() throws Exception {
        TopicPartition partition = new TopicPartition(Cluster.createTopic(1), 0);
        try (Admin admin = Cluster.admin()) {
            var election = admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).partitions().get();
            Check.that(
                    election.get(partition).orElse(null) instanceof ElectionNotNeededException,
                    "the election answers " + election);
            Check.equal(
                    "reassignments",
                    Map.of(),
                    admin.listPartitionReassignments(Set.of(partition)).reassignments().get());
        }
    }

    private static void acls() throws Exception {
        try (Admin admin = Cluster.admin()) {
            Check.refused(
                    "describing ACLs",
                    SecurityDisabledException.class,
                    () -> admin.describeAcls(AclBindingFilter.ANY).values().get());
        }
    }

    private static void quotas() throws Exception {
        String name = Cluster.unique("client");
        ClientQuotaEntity entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, name));
        var filter = ClientQuotaFilter.contains(
                List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.CLIENT_ID, name)));
        try (Admin admin = Cluster.admin()) {
            for (Double value : new Double[] {123456.0, null}) {
                var operation = new ClientQuotaAlteration.Op("consumer_byte_rate", value);
                admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(operation)))).all().get();
                Map<ClientQuotaEntity, Map<String, Double>> expected =
                        value == null ? Map.of() : Map.of(entity, Map.of("consumer_byte_rate", value));
                Check.eventually("quotas", expected, () -> admin.describeClientQuotas(filter).entities().get());
            }
        }
    }
}
