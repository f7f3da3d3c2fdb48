package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafkito/interop/internal/suite"
)

var adminCases = []suite.Case{
	admin("the admin client creates, grows, describes and deletes topics", topics),
	admin("the admin client describes and alters configs", configs),
	admin("the admin client lists offsets by position, time and isolation", listedOffsets),
	admin("the admin client deletes records and finds the end offset of a leader epoch", deletedRecords),
	admin("the admin client describes, lags, resets and deletes a classic group", classicGroup),
	admin("the admin client describes a group of the consumer protocol", consumerGroup),
	admin("the admin client describes and lists an ongoing transaction and its producer", ongoingTransaction),
	admin("the admin client sees the cluster: brokers, api versions, coordinators, log directories", cluster),
	admin("the admin client alters and describes client quotas", quotas),
}

func admin(name string, body func(ctx context.Context, cl *kadm.Client) error) suite.Case {
	return suite.Case{Name: name, Run: func(ctx context.Context) error {
		cl, err := newClient()
		if err != nil {
			return err
		}
		defer cl.Close()
		return body(ctx, kadm.NewClient(cl))
	}}
}

// expect returns an error unless err is the wanted Kafka error.
func expect(what string, err error, wanted *kerr.Error) error {
	if errors.Is(err, wanted) {
		return nil
	}
	return fmt.Errorf("%s: expected %s, got %v", what, wanted.Message, err)
}

func topics(ctx context.Context, cl *kadm.Client) error {
	topic := suite.Unique("franz")
	create := func(partitions int32, replication int16, configs map[string]*string, name string) error {
		_, err := cl.CreateTopic(ctx, partitions, replication, configs, name)
		return err
	}
	if err := create(2, suite.Replication(), map[string]*string{"retention.ms": kadm.StringPtr("60000")}, topic); err != nil {
		return err
	}
	burn := map[string]*string{"cleanup.policy": kadm.StringPtr("burn")}
	err := errors.Join(
		expect("the same name", create(1, 1, nil, topic), kerr.TopicAlreadyExists),
		expect("a bad name", create(1, 1, nil, "a b"), kerr.InvalidTopicException),
		expect("no partitions", create(0, 1, nil, topic+"x"), kerr.InvalidPartitions),
		expect("99 replicas", create(1, 99, nil, topic+"x"), kerr.InvalidReplicationFactor),
		expect("a bad config", create(1, 1, burn, topic+"x"), kerr.InvalidConfig),
	)
	if err != nil {
		return err
	}
	validated, err := cl.ValidateCreateTopics(ctx, 3, 1, nil, topic+"v")
	if err := errors.Join(err, validated.Error()); err != nil {
		return err
	}
	grown, err := cl.UpdatePartitions(ctx, 4, topic)
	if err := errors.Join(err, grown.Error()); err != nil {
		return err
	}
	fewer, err := cl.UpdatePartitions(ctx, 3, topic)
	if err := errors.Join(err, expect("fewer partitions", fewer.Error(), kerr.InvalidPartitions)); err != nil {
		return err
	}
	if err := suite.Eventually(ctx, "the grown topic", func() error {
		listed, err := cl.ListTopics(ctx, topic, topic+"v")
		if err != nil {
			return err
		}
		detail := listed[topic]
		var inSync []int
		for _, partition := range detail.Partitions.Sorted() {
			inSync = append(inSync, len(partition.ISR))
		}
		replicas := int(suite.Replication())
		return errors.Join(
			suite.Equal("in-sync replicas", inSync, []int{replicas, replicas, replicas, replicas}),
			suite.Equal("the topic has no id", detail.ID == kadm.TopicID{}, false),
			expect("a topic that was only validated", listed[topic+"v"].Err, kerr.UnknownTopicOrPartition),
		)
	}); err != nil {
		return err
	}
	if _, err := cl.DeleteTopic(ctx, topic); err != nil {
		return err
	}
	_, err = cl.DeleteTopic(ctx, topic)
	return expect("deleting it once more", err, kerr.UnknownTopicOrPartition)
}

func configs(ctx context.Context, cl *kadm.Client) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	alter := func(op kadm.IncrementalOp, name, value string) error {
		change := kadm.AlterConfig{Op: op, Name: name, Value: &value}
		altered, err := cl.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, topic)
		if err != nil {
			return err
		}
		return altered[0].Err
	}
	read := func(name string) (string, kmsg.ConfigSource, error) {
		described, err := cl.DescribeTopicConfigs(ctx, topic)
		if err != nil {
			return "", 0, err
		}
		for _, config := range described[0].Configs {
			if config.Key == name {
				return config.MaybeValue(), config.Source, nil
			}
		}
		return "", 0, fmt.Errorf("no %s: %w", name, described[0].Err)
	}
	steps := []struct {
		op     kadm.IncrementalOp
		value  string
		wanted string
		source kmsg.ConfigSource
	}{
		{kadm.SetConfig, "compact", "compact", kmsg.ConfigSourceDynamicTopicConfig},
		{kadm.AppendConfig, "delete", "compact,delete", kmsg.ConfigSourceDynamicTopicConfig},
		{kadm.SubtractConfig, "compact", "delete", kmsg.ConfigSourceDynamicTopicConfig},
		{kadm.DeleteConfig, "", "delete", kmsg.ConfigSourceDefaultConfig},
	}
	for _, step := range steps {
		if err := alter(step.op, "cleanup.policy", step.value); err != nil {
			return err
		}
		if err := suite.Eventually(ctx, fmt.Sprintf("operation %d", step.op), func() error {
			value, source, err := read("cleanup.policy")
			return errors.Join(
				err,
				suite.Equal("value", value, step.wanted),
				suite.Equal("source", source, step.source),
			)
		}); err != nil {
			return err
		}
	}
	return errors.Join(
		expect("a bad value", alter(kadm.SetConfig, "retention.ms", "soon"), kerr.InvalidConfig),
		expect("an unknown name", alter(kadm.SetConfig, "no.such.config", "1"), kerr.InvalidConfig),
	)
}

func listedOffsets(ctx context.Context, cl *kadm.Client) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	for _, millis := range []int64{1000, 3000, 2000} {
		record := &kgo.Record{Topic: topic, Value: []byte("x"), Timestamp: time.UnixMilli(millis)}
		if err := produce(ctx, []*kgo.Record{record}); err != nil {
			return err
		}
	}
	since := func(millis int64) func(context.Context, ...string) (kadm.ListedOffsets, error) {
		return func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return cl.ListOffsetsAfterMilli(ctx, millis, topics...)
		}
	}
	for _, spec := range []struct {
		name   string
		list   func(context.Context, ...string) (kadm.ListedOffsets, error)
		wanted int64
	}{
		{"start", cl.ListStartOffsets, 0},
		{"end", cl.ListEndOffsets, 3},
		{"committed", cl.ListCommittedOffsets, 3},
		{"greatest timestamp", cl.ListMaxTimestampOffsets, 1},
		{"local start", cl.ListLocalLogStartOffsets, 0},
		{"since 1500", since(1500), 1},
		{"since 9999 is the end", since(9999), 3},
	} {
		listed, err := spec.list(ctx, topic)
		if err := errors.Join(err, listed.Error()); err != nil {
			return fmt.Errorf("%s: %w", spec.name, err)
		}
		found, _ := listed.Lookup(topic, 0)
		if err := suite.Equal(spec.name, found.Offset, spec.wanted); err != nil {
			return err
		}
	}
	return nil
}

func deletedRecords(ctx context.Context, cl *kadm.Client) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	if err := produce(ctx, toRecords(topic, 0, "a", "b", "c")); err != nil {
		return err
	}
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, 2, -1)
	deleted, err := cl.DeleteRecords(ctx, offsets)
	if err := errors.Join(err, deleted.Error()); err != nil {
		return err
	}
	answer, _ := deleted.Lookup(topic, 0)
	if err := suite.Equal("low watermark", answer.LowWatermark, int64(2)); err != nil {
		return err
	}
	left, err := readAll(ctx, topic, 1)
	if err != nil {
		return err
	}
	var beyond kadm.Offsets
	beyond.AddOffset(topic, 0, 9, -1)
	refused, err := cl.DeleteRecords(ctx, beyond)
	if err != nil {
		return err
	}
	var request kadm.OffsetForLeaderEpochRequest
	request.Add(topic, 0, 0)
	epochs, err := cl.OffsetForLeaderEpoch(ctx, request)
	if err != nil {
		return err
	}
	return errors.Join(
		suite.Equal("what is left", values(left), []string{"c"}),
		expect("deleting beyond the end", refused.Error(), kerr.OffsetOutOfRange),
		suite.Equal("end offset of epoch 0", epochs[topic][0].EndOffset, int64(3)),
	)
}

func classicGroup(ctx context.Context, cl *kadm.Client) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	if err := produce(ctx, toRecords(topic, 0, "a", "b", "c")); err != nil {
		return err
	}
	group := suite.Unique("franz-group")
	m, err := join(ctx, topic, group, kgo.Balancers(kgo.RangeBalancer()), kgo.InstanceID("i"))
	if err != nil {
		return err
	}
	isLeft := false
	defer func() {
		if !isLeft {
			m.leave()
		}
	}()
	if err := m.has(ctx, 3); err != nil {
		return err
	}
	described, err := cl.DescribeGroups(ctx, group)
	if err != nil {
		return err
	}
	state := described[group]
	if err := errors.Join(
		suite.Equal("state", state.State, "Stable"),
		suite.Equal("protocol", state.Protocol, "range"),
		suite.Equal("members", len(state.Members), 1),
		suite.Equal("instance", *state.Members[0].InstanceID, "i"),
		suite.Equal("partition 0 is assigned", state.AssignedPartitions().Lookup(topic, 0), true),
	); err != nil {
		return err
	}
	_, err = cl.DeleteGroup(ctx, group)
	if err := expect("deleting it with a member", err, kerr.NonEmptyGroup); err != nil {
		return err
	}
	m.leave()
	isLeft = true
	// A static member stays until its session ends or somebody removes it.
	leaving := kadm.LeaveGroup(group).InstanceIDs("i").Reason("interop")
	removed, err := cl.LeaveGroup(ctx, leaving)
	if err := errors.Join(err, removed.Error()); err != nil {
		return err
	}
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 0, 1, -1)
	if err := cl.CommitAllOffsets(ctx, group, offsets); err != nil {
		return err
	}
	lags, err := cl.Lag(ctx, group)
	if err != nil {
		return err
	}
	if err := suite.Equal("lag", lags[group].Lag.Total(), int64(2)); err != nil {
		return err
	}
	if err := checkCommitted(ctx, group, topic, 1); err != nil {
		return err
	}
	var wanted kadm.TopicsSet
	wanted.Add(topic, 0)
	dropped, err := cl.DeleteOffsets(ctx, group, wanted)
	if err := errors.Join(err, dropped.Error(), checkCommitted(ctx, group, topic, -1)); err != nil {
		return err
	}
	_, err = cl.DeleteGroup(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return err
	}
	_, err = cl.DeleteGroup(ctx, group)
	return expect("deleting it once more", err, kerr.GroupIDNotFound)
}

func consumerGroup(ctx context.Context, cl *kadm.Client) error {
	topic, err := createTopic(ctx, 2)
	if err != nil {
		return err
	}
	group := suite.Unique("franz-group")
	m, err := join(ctx, topic, group, kgo.ServerSideBalancer(), kgo.ClientID("franz-one"))
	if err != nil {
		return err
	}
	defer m.leave()
	if err := m.owns(ctx, 2); err != nil {
		return err
	}
	listed, err := cl.ListGroupsByType(ctx, []string{"consumer"})
	if err != nil {
		return err
	}
	described, err := cl.DescribeConsumerGroups(ctx, group)
	if err != nil {
		return err
	}
	state := described[group]
	if len(state.Members) != 1 {
		return fmt.Errorf("members: %v (%v)", state.Members, state.Err)
	}
	only := state.Members[0]
	return errors.Join(
		suite.Equal("listed", listed[group].Group, group),
		suite.Equal("assignor", state.AssignorName, "uniform"),
		suite.Equal("client id", only.ClientID, "franz-one"),
		suite.Equal("member epoch", only.MemberEpoch, state.Epoch),
		suite.Equal("subscription", only.SubscribedTopics, []string{topic}),
		suite.Equal("partition 1 is assigned", only.Assignment.Lookup(topic, 1), true),
	)
}

func ongoingTransaction(ctx context.Context, cl *kadm.Client) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	name := suite.Unique("franz-tx")
	producer, err := newClient(kgo.TransactionalID(name), kgo.TransactionTimeout(50*time.Second))
	if err != nil {
		return err
	}
	defer producer.Close()
	if err := producer.BeginTransaction(); err != nil {
		return err
	}
	if err := producer.ProduceSync(ctx, toRecords(topic, 0, "a")...).FirstErr(); err != nil {
		return err
	}
	described, err := cl.DescribeTransactions(ctx, name)
	if err != nil {
		return err
	}
	state := described[name]
	var wanted kadm.TopicsSet
	wanted.Add(topic, 0)
	producers, err := cl.DescribeProducers(ctx, wanted)
	if err != nil {
		return err
	}
	active := producers[topic].Partitions[0].ActiveProducers[state.ProducerID]
	ongoing, err := cl.ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil {
		return err
	}
	if err := errors.Join(
		suite.Equal("state", state.State, "Ongoing"),
		suite.Equal("timeout", state.TimeoutMillis, int32(50000)),
		suite.Equal("topics", state.Topics, wanted),
		suite.Equal("transaction start offset", active.CurrentTxnStartOffset, int64(0)),
		suite.Equal("producer epoch", active.ProducerEpoch, state.ProducerEpoch),
		suite.Equal("listed as ongoing", ongoing[name].ProducerID, state.ProducerID),
	); err != nil {
		return err
	}
	return producer.EndTransaction(ctx, kgo.TryAbort)
}

func cluster(ctx context.Context, cl *kadm.Client) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	metadata, err := cl.BrokerMetadata(ctx)
	if err != nil {
		return err
	}
	versions, err := cl.ApiVersions(ctx)
	if err != nil {
		return err
	}
	for _, broker := range metadata.Brokers {
		answer := versions[broker.NodeID]
		if answer.Err != nil {
			return answer.Err
		}
		if _, highest, ok := answer.KeyVersions(kmsg.Produce.Int16()); !ok || highest < 12 {
			return fmt.Errorf("broker %d takes Produce up to version %d", broker.NodeID, highest)
		}
	}
	group := suite.Unique("franz-group")
	coordinator := cl.FindGroupCoordinators(ctx, group)[group]
	transaction := cl.FindTxnCoordinators(ctx, group)[group]
	var wanted kadm.TopicsSet
	wanted.Add(topic, 0)
	directories, err := cl.DescribeAllLogDirs(ctx, wanted)
	if err != nil {
		return err
	}
	copies := 0
	for _, directory := range directories.Sorted() {
		copies += len(directory.Topics[topic])
	}
	return errors.Join(
		coordinator.Err,
		transaction.Err,
		suite.Equal("the cluster id is empty", metadata.Cluster == "", false),
		suite.Equal("copies in the log directories", copies, int(suite.Replication())),
	)
}

func quotas(ctx context.Context, cl *kadm.Client) error {
	name := suite.Unique("franz-client")
	entity := kadm.ClientQuotaEntity{{Type: "client-id", Name: &name}}
	alter := func(remove bool) error {
		op := kadm.AlterClientQuotaOp{Key: "producer_byte_rate", Value: 123456, Remove: remove}
		entry := kadm.AlterClientQuotaEntry{Entity: entity, Ops: []kadm.AlterClientQuotaOp{op}}
		altered, err := cl.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{entry})
		if err != nil {
			return err
		}
		return altered[0].Err
	}
	describe := func() (kadm.DescribedClientQuotas, error) {
		component := kadm.DescribeClientQuotaComponent{Type: "client-id", MatchName: &name}
		return cl.DescribeClientQuotas(ctx, true, []kadm.DescribeClientQuotaComponent{component})
	}
	if err := alter(false); err != nil {
		return err
	}
	if err := suite.Eventually(ctx, "the new quota", func() error {
		described, err := describe()
		if err != nil || len(described) != 1 {
			return fmt.Errorf("described quotas: %v %w", described, err)
		}
		return suite.Equal("quota", described[0].Values[0].Value, 123456.0)
	}); err != nil {
		return err
	}
	return alter(true)
}
