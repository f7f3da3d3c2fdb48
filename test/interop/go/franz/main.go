// Command franz judges a cluster with franz-go, the client that speaks the newest protocol versions first.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkito/interop/internal/suite"
)

func main() {
	cases := []suite.Case{
		textFile("none", kgo.NoCompression(), kgo.AllISRAcks()),
		textFile("gzip", kgo.GzipCompression(), kgo.LeaderAck()),
		textFile("snappy", kgo.SnappyCompression(), kgo.AllISRAcks()),
		textFile("lz4", kgo.Lz4Compression(), kgo.LeaderAck()),
		textFile("zstd", kgo.ZstdCompression(), kgo.AllISRAcks()),
		{Name: "100000 lines come back unchanged with acks=0", Run: withoutAcks},
		{Name: "keys, headers, timestamps, empty and null values come back as they were sent", Run: wholeRecords},
		groupOfTwo("range", kgo.Balancers(kgo.RangeBalancer())),
		groupOfTwo("cooperative-sticky", kgo.Balancers(kgo.CooperativeStickyBalancer())),
		groupOfTwo("consumer protocol", kgo.ServerSideBalancer()),
		{Name: "a read_committed consumer sees the committed transactions and not the aborted one", Run: transactions},
		transactSession("cooperative-sticky", kgo.Balancers(kgo.CooperativeStickyBalancer())),
		transactSession("consumer protocol", kgo.ServerSideBalancer()),
		{Name: "a second producer with the same transactional id fences the first", Run: fencing},
		{Name: "a share group hands a released record out again and an accepted one once", Run: shareGroup},
	}
	suite.Main(append(cases, adminCases...))
}

func newClient(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(suite.Bootstrap()...),
		kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
}

func createTopic(ctx context.Context, partitions int32) (string, error) {
	cl, err := newClient()
	if err != nil {
		return "", err
	}
	defer cl.Close()
	topic := suite.Unique("franz")
	admin := kadm.NewClient(cl)
	if _, err := admin.CreateTopic(ctx, partitions, suite.Replication(), nil, topic); err != nil {
		return "", err
	}
	return topic, suite.Eventually(ctx, "describing the new topic", func() error {
		listed, err := admin.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		return listed.Error()
	})
}

func produce(ctx context.Context, records []*kgo.Record, opts ...kgo.Opt) error {
	cl, err := newClient(opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.ProduceSync(ctx, records...).FirstErr()
}

func toRecords(topic string, partition int32, values ...string) []*kgo.Record {
	records := make([]*kgo.Record, 0, len(values))
	for _, value := range values {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)})
	}
	return records
}

// readAll reads partition 0 from its start until count records have come.
func readAll(ctx context.Context, topic string, count int, opts ...kgo.Opt) ([]*kgo.Record, error) {
	from := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	cl, err := newClient(append(opts, kgo.ConsumePartitions(from))...)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	var records []*kgo.Record
	for len(records) < count {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("%d of %d records: %w", len(records), count, err)
		}
		records = append(records, fetches.Records()...)
	}
	return records, nil
}

func values(records []*kgo.Record) []string {
	texts := make([]string, 0, len(records))
	for _, record := range records {
		texts = append(texts, string(record.Value))
	}
	return texts
}

func sendLines(ctx context.Context, topic string, opts ...kgo.Opt) ([][]byte, error) {
	lines, err := suite.Lines()
	if err != nil {
		return nil, err
	}
	records := make([]*kgo.Record, 0, len(lines))
	for _, line := range lines {
		records = append(records, &kgo.Record{Topic: topic, Value: line})
	}
	return lines, produce(ctx, records, opts...)
}

func checkLines(ctx context.Context, topic string, lines [][]byte) error {
	received, err := readAll(ctx, topic, len(lines))
	if err != nil {
		return err
	}
	for i, record := range received {
		if i >= len(lines) || string(record.Value) != string(lines[i]) {
			return fmt.Errorf("record %d is %q", i, record.Value)
		}
	}
	return nil
}

func textFile(codec string, compression kgo.CompressionCodec, acks kgo.Acks) suite.Case {
	name := "all replicas'"
	opts := []kgo.Opt{kgo.ProducerBatchCompression(compression), kgo.RequiredAcks(acks)}
	if acks != kgo.AllISRAcks() {
		name = "the leader's"
		opts = append(opts, kgo.DisableIdempotentWrite())
	}
	return suite.Case{
		Name: fmt.Sprintf("100000 lines come back unchanged with compression %s and %s acknowledgement", codec, name),
		Run: func(ctx context.Context) error {
			topic, err := createTopic(ctx, 1)
			if err != nil {
				return err
			}
			lines, err := sendLines(ctx, topic, opts...)
			if err != nil {
				return err
			}
			return checkLines(ctx, topic, lines)
		},
	}
}

func withoutAcks(ctx context.Context) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	// One request at a time keeps the order, which acks=0 does not promise with several connections in flight.
	lines, err := sendLines(ctx, topic, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite(),
		kgo.MaxProduceRequestsInflightPerBroker(1))
	if err != nil {
		return err
	}
	return checkLines(ctx, topic, lines)
}

func wholeRecords(ctx context.Context) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	headers := []kgo.RecordHeader{{Key: "one", Value: []byte("1")}, {Key: "one", Value: []byte{}}, {Key: "none"}}
	sent := []*kgo.Record{
		{Topic: topic, Key: []byte("k"), Value: []byte{}, Headers: headers, Timestamp: time.UnixMilli(1700000000123)},
		{Topic: topic, Timestamp: time.UnixMilli(1700000000456)},
	}
	if err := produce(ctx, sent); err != nil {
		return err
	}
	received, err := readAll(ctx, topic, 2)
	if err != nil {
		return err
	}
	first, second := received[0], received[1]
	return errors.Join(
		suite.Equal("first key", string(first.Key), "k"),
		suite.Equal("first value is null", first.Value == nil, false),
		suite.Equal("first headers", fmt.Sprintf("%q", first.Headers), fmt.Sprintf("%q", headers)),
		suite.Equal("third header is null", first.Headers[2].Value == nil, true),
		suite.Equal("first timestamp", first.Timestamp.UnixMilli(), int64(1700000000123)),
		suite.Equal("second key and value are null", second.Key == nil && second.Value == nil, true),
		suite.Equal("second timestamp", second.Timestamp.UnixMilli(), int64(1700000000456)),
		suite.Equal("offsets", []int64{first.Offset, second.Offset}, []int64{0, 1}),
	)
}

// member is a group member whose records and partitions are gathered in the background.
type member struct {
	client *kgo.Client
	stop   context.CancelFunc
	done   chan struct{}

	mu         sync.Mutex
	partitions map[int32]bool
	values     []string
	failure    error
	changed    chan struct{}
}

func join(ctx context.Context, topic, group string, opts ...kgo.Opt) (*member, error) {
	m := &member{partitions: map[int32]bool{}, changed: make(chan struct{}, 1), done: make(chan struct{})}
	forget := func(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
		m.update(func() {
			for _, partition := range gone[topic] {
				delete(m.partitions, partition)
			}
		})
	}
	var err error
	m.client, err = newClient(append([]kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
			m.update(func() {
				for _, partition := range added[topic] {
					m.partitions[partition] = true
				}
			})
		}),
		kgo.OnPartitionsRevoked(forget),
		kgo.OnPartitionsLost(forget),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	polling, stop := context.WithCancel(ctx)
	m.stop = stop
	go func() {
		defer close(m.done)
		for {
			fetches := m.client.PollFetches(polling)
			if polling.Err() != nil {
				return
			}
			m.update(func() {
				m.values = append(m.values, values(fetches.Records())...)
				m.failure = errors.Join(m.failure, fetches.Err())
			})
		}
	}()
	return m, nil
}

func (m *member) update(change func()) {
	m.mu.Lock()
	change()
	m.mu.Unlock()
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// until waits for a condition on the number of owned partitions and of records.
func (m *member) until(ctx context.Context, what string, condition func(partitions, records int) bool) error {
	for {
		m.mu.Lock()
		partitions, records, failure := len(m.partitions), len(m.values), m.failure
		m.mu.Unlock()
		if failure != nil {
			return failure
		}
		if condition(partitions, records) {
			return nil
		}
		select {
		case <-m.changed:
		case <-ctx.Done():
			return fmt.Errorf("no %s: %d partitions, %d records", what, partitions, records)
		}
	}
}

func (m *member) owns(ctx context.Context, count int) error {
	return m.until(ctx, fmt.Sprintf("assignment of %d", count), func(p, _ int) bool { return p == count })
}

func (m *member) has(ctx context.Context, count int) error {
	return m.until(ctx, fmt.Sprintf("%d records", count), func(_, r int) bool { return r >= count })
}

func (m *member) commit(ctx context.Context) error {
	return m.client.CommitUncommittedOffsets(ctx)
}

func (m *member) leave() {
	m.stop()
	<-m.done
	m.client.Close()
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// sendRound sends 25 records to each of four partitions and returns their sorted values.
func sendRound(ctx context.Context, topic, label string) ([]string, error) {
	var records []*kgo.Record
	for partition := range int32(4) {
		for i := range 25 {
			records = append(records, toRecords(topic, partition, fmt.Sprintf("%s %d %d", label, partition, i))...)
		}
	}
	sent := values(records)
	slices.Sort(sent)
	return sent, produce(ctx, records)
}

func groupOfTwo(name string, protocol kgo.GroupOpt) suite.Case {
	sentence := "two members of a group share the partitions, commit, and a later member resumes"
	return suite.Case{Name: fmt.Sprintf("%s (%s)", sentence, name), Run: func(ctx context.Context) error {
		topic, err := createTopic(ctx, 4)
		if err != nil {
			return err
		}
		group := suite.Unique("franz-group")
		if err := shareAndCommit(ctx, topic, group, protocol); err != nil {
			return err
		}
		if err := checkCommitted(ctx, group, topic, 25, 25, 25, 25); err != nil {
			return err
		}
		sent, err := sendRound(ctx, topic, "two")
		if err != nil {
			return err
		}
		third, err := join(ctx, topic, group, protocol)
		if err != nil {
			return err
		}
		defer third.leave()
		if err := third.has(ctx, 100); err != nil {
			return err
		}
		slices.Sort(third.values)
		return suite.Equal("records of the third member", third.values, sent)
	}}
}

func shareAndCommit(ctx context.Context, topic, group string, protocol kgo.GroupOpt) error {
	first, err := join(ctx, topic, group, protocol)
	if err != nil {
		return err
	}
	defer first.leave()
	if err := first.owns(ctx, 4); err != nil {
		return err
	}
	second, err := join(ctx, topic, group, protocol)
	if err != nil {
		return err
	}
	isLeft := false
	defer func() {
		if !isLeft {
			second.leave()
		}
	}()
	if err := firstError(
		func() error { return second.owns(ctx, 2) },
		func() error { return first.owns(ctx, 2) },
	); err != nil {
		return err
	}
	sent, err := sendRound(ctx, topic, "one")
	if err != nil {
		return err
	}
	if err := firstError(
		func() error { return first.has(ctx, 50) },
		func() error { return second.has(ctx, 50) },
		func() error { return first.commit(ctx) },
		func() error { return second.commit(ctx) },
	); err != nil {
		return err
	}
	second.leave()
	isLeft = true
	if err := first.owns(ctx, 4); err != nil {
		return err
	}
	both := append(slices.Clone(first.values), second.values...)
	slices.Sort(both)
	return suite.Equal("records of both", both, sent)
}

func checkCommitted(ctx context.Context, group, topic string, expected ...int64) error {
	cl, err := newClient()
	if err != nil {
		return err
	}
	defer cl.Close()
	return suite.Eventually(ctx, "what is committed", func() error {
		fetched, err := kadm.NewClient(cl).FetchOffsets(ctx, group)
		if err != nil {
			return err
		}
		var actual []int64
		for partition := range int32(len(expected)) {
			committed, ok := fetched.Lookup(topic, partition)
			if !ok {
				committed.At = -1
			}
			actual = append(actual, committed.At)
		}
		return suite.Equal("committed offsets", actual, expected)
	})
}

func transactions(ctx context.Context) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	cl, err := newClient(kgo.TransactionalID(suite.Unique("franz-tx")))
	if err != nil {
		return err
	}
	defer cl.Close()
	for _, round := range []struct {
		label string
		end   kgo.TransactionEndTry
	}{{"a", kgo.TryCommit}, {"b", kgo.TryAbort}, {"c", kgo.TryCommit}} {
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		records := toRecords(topic, 0, round.label+"1", round.label+"2")
		if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return err
		}
		if err := cl.EndTransaction(ctx, round.end); err != nil {
			return err
		}
	}
	committed, err := readAll(ctx, topic, 4, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	all, err := readAll(ctx, topic, 6)
	if err != nil {
		return err
	}
	return errors.Join(
		suite.Equal("read_committed", values(committed), []string{"a1", "a2", "c1", "c2"}),
		suite.Equal("read_uncommitted", values(all), []string{"a1", "a2", "b1", "b2", "c1", "c2"}),
	)
}

// transactSession forwards records from one topic to another; the aborted round has to be forwarded once more.
func transactSession(name string, protocol kgo.GroupOpt) suite.Case {
	sentence := "records are forwarded exactly once although a transaction aborts"
	return suite.Case{Name: fmt.Sprintf("%s (%s)", sentence, name), Run: func(ctx context.Context) error {
		source, err := createTopic(ctx, 1)
		if err != nil {
			return err
		}
		target, err := createTopic(ctx, 1)
		if err != nil {
			return err
		}
		sent := strings.Fields("1 2 3 4 5 6")
		if err := produce(ctx, toRecords(source, 0, sent...)); err != nil {
			return err
		}
		group := suite.Unique("franz-tx-group")
		session, err := kgo.NewGroupTransactSession(
			kgo.SeedBrokers(suite.Bootstrap()...),
			kgo.TransactionalID(suite.Unique("franz-tx")),
			kgo.ConsumerGroup(group),
			kgo.ConsumeTopics(source),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.FetchMaxWait(200*time.Millisecond),
			kgo.RequireStableFetchOffsets(),
			protocol,
		)
		if err != nil {
			return err
		}
		defer session.Close()
		forwarded := 0
		for round := 0; forwarded < len(sent); round++ {
			fetches := session.PollRecords(ctx, 2)
			if err := fetches.Err(); err != nil {
				return err
			}
			if err := session.Begin(); err != nil {
				return err
			}
			records := fetches.Records()
			for _, record := range records {
				copied := toRecords(target, 0, string(record.Value))
				if err := session.ProduceSync(ctx, copied...).FirstErr(); err != nil {
					return err
				}
			}
			isCommitted, err := session.End(ctx, kgo.TransactionEndTry(round != 1))
			if err != nil {
				return err
			}
			if isCommitted {
				forwarded += len(records)
			}
		}
		received, err := readAll(ctx, target, len(sent), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if err != nil {
			return err
		}
		all, err := readAll(ctx, target, len(sent)+1)
		if err != nil {
			return err
		}
		return errors.Join(
			suite.Equal("forwarded records", values(received), sent),
			suite.Equal("more records with those of the aborted transaction", len(all) > len(sent), true),
			checkCommitted(ctx, group, source, 6),
		)
	}}
}

func fencing(ctx context.Context) error {
	topic, err := createTopic(ctx, 1)
	if err != nil {
		return err
	}
	name := suite.Unique("franz-tx")
	first, err := newClient(kgo.TransactionalID(name))
	if err != nil {
		return err
	}
	defer first.Close()
	second, err := newClient(kgo.TransactionalID(name))
	if err != nil {
		return err
	}
	defer second.Close()
	if err := first.BeginTransaction(); err != nil {
		return err
	}
	if err := first.ProduceSync(ctx, toRecords(topic, 0, "old")...).FirstErr(); err != nil {
		return err
	}
	if err := second.BeginTransaction(); err != nil {
		return err
	}
	if err := second.ProduceSync(ctx, toRecords(topic, 0, "new")...).FirstErr(); err != nil {
		return err
	}
	if err := second.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return err
	}
	err = first.EndTransaction(ctx, kgo.TryCommit)
	if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		return fmt.Errorf("the first producer is not fenced: %v", err)
	}
	committed, err := readAll(ctx, topic, 1, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	return suite.Equal("read_committed", values(committed), []string{"new"})
}
