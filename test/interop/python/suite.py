"""confluent-kafka: the newest librdkafka 2.x, in the wheel that PyPI serves.

Prints the lines that every suite prints (see ../lib/cases.ts) and reads the same environment.
"""

import functools
import os
import sys
import threading
import time
import traceback
import uuid
from contextlib import contextmanager

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

DEADLINE = 60.0
CASE_DEADLINE = 120.0
CASES = []


class Failure(Exception):
    """What a case finds wrong; its message is all there is to say."""


def case(sentence):
    def register(function):
        CASES.append((sentence, function))
        return function

    return register


def check_equal(actual, expected, what):
    if actual != expected:
        raise Failure(f"{what}: expected {expected!r}, got {actual!r}")


def check_eventually(read, expected, what):
    """Asks until the answer is right: a broker hears of a change a moment after the controller made it."""
    deadline = time.monotonic() + DEADLINE
    while (actual := read()) != expected:
        if time.monotonic() > deadline:
            check_equal(actual, expected, what)


def unique(prefix):
    return f"python-{prefix}-{uuid.uuid4().hex[:12]}"


def settings(**extra):
    named = {name.replace("_", "."): value for name, value in extra.items()}
    return {"bootstrap.servers": os.environ["BOOTSTRAP"], **named}


@functools.cache
def admin_client():
    return AdminClient(settings())


def results(futures):
    return {name: future.result(DEADLINE) for name, future in futures.items()}


def error_of(call):
    """The name of the KafkaError that the call ends with, or None."""
    try:
        call()
    except KafkaException as exception:
        return exception.args[0].name()
    return None


def create_topic(partitions, **configs):
    topic = unique("topic")
    new = NewTopic(
        topic,
        num_partitions=partitions,
        replication_factor=int(os.environ.get("REPLICATION", "1")),
        config={name.replace("_", "."): value for name, value in configs.items()},
    )
    results(admin_client().create_topics([new]))
    check_eventually(lambda: error_of(lambda: describe(topic)), None, "describing the new topic")
    return topic


def describe(topic):
    return results(admin_client().describe_topics(TopicCollection([topic])))[topic]


def send(topic, values, partition=0, **config):
    refused = []
    producer = Producer(settings(linger_ms=5, **config))
    for value in values:
        while True:
            try:
                producer.produce(
                    topic,
                    value,
                    partition=partition,
                    on_delivery=lambda error, _: refused.append(error) if error else None,
                )
                break
            except BufferError:
                producer.poll(1)
        producer.poll(0)
    check_equal(producer.flush(DEADLINE), 0, "records left after flush")
    check_equal(refused, [], "refused records")


@contextmanager
def consumer(**config):
    client = Consumer(settings(**{"auto_offset_reset": "earliest", "group_id": unique("read"), **config}))
    try:
        yield client
    finally:
        client.close()


def read(topic, count, isolation="read_committed"):
    """The values of partition 0 up to its end, which must be `count` records away."""
    with consumer(isolation_level=isolation, enable_partition_eof=True) as client:
        client.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        values = []
        deadline = time.monotonic() + DEADLINE
        while True:
            if time.monotonic() > deadline:
                raise Failure(f"{len(values)} of {count} records in time")
            for message in client.consume(5000, 0.2):
                if message.error() is None:
                    values.append(message.value())
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    return values
                else:
                    raise KafkaException(message.error())


class Member:
    """A group member; `poll_until` drives several of them together until a condition holds."""

    def __init__(self, topic, group, **config):
        self.partitions = set()
        self.values = []
        self.client = Consumer(settings(group_id=group, auto_offset_reset="earliest", **config))
        self.client.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def _assigned(self, _, partitions):
        self.partitions |= {one.partition for one in partitions}

    def _revoked(self, _, partitions):
        self.partitions -= {one.partition for one in partitions}

    @staticmethod
    def poll_until(what, members, condition):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                state = [(sorted(one.partitions), len(one.values)) for one in members]
                raise Failure(f"no {what} in time: partitions and records are {state}")
            for member in members:
                for message in member.client.consume(500, 0.05):
                    if message.error():
                        raise KafkaException(message.error())
                    member.values.append(message.value().decode())

    def close(self):
        self.client.close()


def lines():
    with open(os.environ["LINES_FILE"], "rb") as file:
        return file.read().splitlines()


def text_file(codec, acks):
    @case(f"100000 lines come back unchanged with compression {codec} and acks={acks}")
    def _():
        topic = create_topic(1)
        sent = lines()
        config = {"enable_idempotence": True} if acks == "all" else {}
        send(topic, sent, compression_type=codec, acks=acks, **config)
        received = read(topic, len(sent))
        if received != sent:
            raise Failure(f"{len(sent)} lines were sent, {len(received)} came back, not the same")


for codec, acks in (("none", "all"), ("gzip", "1"), ("snappy", "all"), ("lz4", "1"), ("zstd", "all")):
    text_file(codec, acks)


@case("keys, headers, timestamps, empty and null values come back as they were sent")
def _():
    topic = create_topic(1)
    producer = Producer(settings())
    headers = [("one", b"1"), ("one", b"two"), ("none", None)]
    producer.produce(topic, b"", key=b"k", headers=headers, timestamp=1700000000123)
    producer.produce(topic, None, key=None, timestamp=1700000000456)
    producer.flush(DEADLINE)
    with consumer() as client:
        client.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        messages = client.consume(2, DEADLINE)
    check_equal(
        [(one.key(), one.value(), one.headers(), one.timestamp()[1], one.offset()) for one in messages],
        [(b"k", b"", headers, 1700000000123, 0), (None, None, None, 1700000000456, 1)],
        "records",
    )


def group_of_two(name, **config):
    @case(f"two members of a group share the partitions, commit, and a later member resumes ({name})")
    def _():
        topic = create_topic(4)
        group = unique("group")

        def send_round(label):
            values = []
            for partition in range(4):
                share = [f"{label} {partition} {index}" for index in range(25)]
                send(topic, share, partition)
                values += share
            return sorted(values)

        first = Member(topic, group, **config)
        members = [first]
        try:
            Member.poll_until("assignment of all", members, lambda: first.partitions == {0, 1, 2, 3})
            second = Member(topic, group, **config)
            members.append(second)
            Member.poll_until(
                "even assignment",
                members,
                lambda: len(first.partitions) == 2 and len(second.partitions) == 2,
            )
            check_equal(first.partitions | second.partitions, {0, 1, 2, 3}, "partitions of both")
            sent = send_round("one")
            Member.poll_until("halves", members, lambda: len(first.values) >= 50 and len(second.values) >= 50)
            check_equal(sorted(first.values + second.values), sent, "records of both")
            for member in members:
                member.client.commit(asynchronous=False)
            first.close()
            members.remove(first)
            Member.poll_until("take-over", members, lambda: second.partitions == {0, 1, 2, 3})
        finally:
            for member in members:
                member.close()
        with consumer(group_id=group) as client:
            committed = client.committed([TopicPartition(topic, partition) for partition in range(4)], DEADLINE)
        check_equal([one.offset for one in committed], [25] * 4, "committed offsets")
        sent = send_round("two")
        third = Member(topic, group, **config)
        try:
            Member.poll_until("later records", [third], lambda: len(third.values) >= 100)
        finally:
            third.close()
        check_equal(sorted(third.values), sent, "records of the third member")


group_of_two("classic protocol, range", partition_assignment_strategy="range", heartbeat_interval_ms=300)
group_of_two(
    "classic protocol, cooperative-sticky",
    partition_assignment_strategy="cooperative-sticky",
    heartbeat_interval_ms=300,
)
group_of_two("consumer protocol", group_protocol="consumer")
group_of_two("consumer protocol, range", group_protocol="consumer", group_remote_assignor="range")


@case("a static member comes back under its instance id without a rebalance")
def _():
    topic = create_topic(2)
    group = unique("static")
    configs = [
        {"group_instance_id": name, "session_timeout_ms": 30000, "heartbeat_interval_ms": 300} for name in ("a", "b")
    ]
    first, second = (Member(topic, group, **config) for config in configs)
    members = [first, second]
    try:
        Member.poll_until(
            "even assignment", members, lambda: len(first.partitions) == 1 and len(second.partitions) == 1
        )
        before = set(second.partitions)
        second.close()
        members.remove(second)
        again = Member(topic, group, **configs[1])
        members.append(again)
        Member.poll_until("the same partition", members, lambda: again.partitions == before)
        check_equal(len(first.partitions), 1, "partitions of the member that stayed")
    finally:
        for member in members:
            member.close()


@case("a read_committed consumer sees the committed transactions and not the aborted one")
def _():
    topic = create_topic(1)
    producer = Producer(settings(transactional_id=unique("tx")))
    producer.init_transactions(DEADLINE)
    for label, is_committed in (("a", True), ("b", False), ("c", True)):
        producer.begin_transaction()
        for index in range(3):
            producer.produce(topic, f"{label}{index}", partition=0)
        producer.flush(DEADLINE)
        if is_committed:
            producer.commit_transaction(DEADLINE)
        else:
            producer.abort_transaction(DEADLINE)
    check_equal(read(topic, 6), [b"a0", b"a1", b"a2", b"c0", b"c1", b"c2"], "read_committed")
    everything = [f"{label}{index}".encode() for label in "abc" for index in range(3)]
    check_equal(read(topic, 9, "read_uncommitted"), everything, "read_uncommitted")


@case("an open transaction holds back a read_committed consumer until it ends")
def _():
    topic = create_topic(1)
    producer = Producer(settings(transactional_id=unique("tx")))
    producer.init_transactions(DEADLINE)
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush(DEADLINE)
    check_equal(read(topic, 0), [], "read_committed while it is open")
    check_equal(read(topic, 1, "read_uncommitted"), [b"open"], "read_uncommitted while it is open")
    producer.commit_transaction(DEADLINE)
    check_equal(read(topic, 1), [b"open"], "read_committed after the commit")


@case("consumed offsets are committed with the transaction and not when it aborts")
def _():
    source, target = create_topic(1), create_topic(1)
    group = unique("tx-group")
    send(source, [b"1", b"2", b"3", b"4"])
    producer = Producer(settings(transactional_id=unique("tx")))
    producer.init_transactions(DEADLINE)
    with consumer(group_id=group, enable_auto_commit=False) as client:
        client.subscribe([source])

        def round_of_two(is_committed):
            producer.begin_transaction()
            for message in client.consume(2, DEADLINE):
                producer.produce(target, message.value(), partition=0)
            positions = client.position(client.assignment())
            producer.send_offsets_to_transaction(positions, client.consumer_group_metadata(), DEADLINE)
            if is_committed:
                producer.commit_transaction(DEADLINE)
            else:
                producer.abort_transaction(DEADLINE)
            return client.committed(client.assignment(), DEADLINE)[0].offset

        check_equal(round_of_two(True), 2, "committed offset after the commit")
        check_equal(round_of_two(False), 2, "committed offset after the abort")
    check_equal(read(target, 2), [b"1", b"2"], "what was forwarded")


@case("a second producer with the same transactional id fences the first")
def _():
    topic = create_topic(1)
    name = unique("tx")
    old = Producer(settings(transactional_id=name))
    old.init_transactions(DEADLINE)
    old.begin_transaction()
    old.produce(topic, b"old", partition=0)
    old.flush(DEADLINE)
    new = Producer(settings(transactional_id=name))
    new.init_transactions(DEADLINE)
    check_equal(error_of(lambda: old.commit_transaction(DEADLINE)), "_FENCED", "commit of the old producer")
    new.begin_transaction()
    new.produce(topic, b"new", partition=0)
    new.commit_transaction(DEADLINE)
    check_equal(read(topic, 1), [b"new"], "read_committed")


@case("the admin client creates, grows, describes and deletes topics, and is refused with Kafka's errors")
def _():
    admin = admin_client()
    topic = create_topic(2, cleanup_policy="compact")
    replication = int(os.environ.get("REPLICATION", "1"))

    def create(**options):
        new = NewTopic(**{"topic": unique("bad"), "num_partitions": 1, "replication_factor": 1, **options})
        return error_of(lambda: results(admin.create_topics([new])))

    check_equal(create(topic=topic), "TOPIC_ALREADY_EXISTS", "the same name")
    check_equal(create(topic="a/b"), "TOPIC_EXCEPTION", "a bad name")
    check_equal(create(replication_factor=99), "INVALID_REPLICATION_FACTOR", "99 replicas")
    check_equal(create(config={"cleanup.policy": "burn"}), "INVALID_CONFIG", "a bad config value")
    check_equal(create(config={"no.such.config": "1"}), "INVALID_CONFIG", "an unknown config")
    results(admin.create_partitions([NewPartitions(topic, 5)]))
    fewer = error_of(lambda: results(admin.create_partitions([NewPartitions(topic, 3)])))
    check_equal(fewer, "INVALID_PARTITIONS", "fewer partitions")
    check_eventually(
        lambda: [(one.id, len(one.isr)) for one in describe(topic).partitions],
        [(partition, replication) for partition in range(5)],
        "partitions and their in-sync replicas",
    )
    results(admin.delete_topics([topic]))
    missing = "UNKNOWN_TOPIC_OR_PART"
    check_eventually(lambda: error_of(lambda: describe(topic)), missing, "describing the deleted topic")


@case("the admin client describes and alters configs")
def _():
    admin = admin_client()
    topic = create_topic(1)

    def alter(name, value, operation):
        entry = ConfigEntry(name, value, incremental_operation=operation)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        results(admin.incremental_alter_configs([resource]))

    def value_of(name):
        described = results(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))
        (configs,) = described.values()
        return configs[name].value, configs[name].is_default

    check_equal(value_of("cleanup.policy"), ("delete", True), "cleanup.policy")
    alter("cleanup.policy", "compact", AlterConfigOpType.APPEND)
    check_eventually(lambda: value_of("cleanup.policy"), ("delete,compact", False), "after append")
    alter("cleanup.policy", "delete", AlterConfigOpType.SUBTRACT)
    check_eventually(lambda: value_of("cleanup.policy"), ("compact", False), "after subtract")
    alter("cleanup.policy", None, AlterConfigOpType.DELETE)
    check_eventually(lambda: value_of("cleanup.policy"), ("delete", True), "after delete")
    refused = error_of(lambda: alter("retention.ms", "soon", AlterConfigOpType.SET))
    check_equal(refused, "INVALID_CONFIG", "a bad value")


@case("the admin client lists offsets, deletes records and describes the cluster")
def _():
    admin = admin_client()
    topic = create_topic(1)
    producer = Producer(settings())
    for timestamp in (1000, 3000, 2000):
        producer.produce(topic, b"x", partition=0, timestamp=timestamp)
        producer.flush(DEADLINE)
    partition = TopicPartition(topic, 0)

    def offset(spec, isolation=IsolationLevel.READ_UNCOMMITTED):
        (listed,) = results(admin.list_offsets({partition: spec}, isolation_level=isolation)).values()
        return listed.offset

    check_equal(offset(OffsetSpec.earliest()), 0, "earliest")
    check_equal(offset(OffsetSpec.latest()), 3, "latest")
    check_equal(offset(OffsetSpec.latest(), IsolationLevel.READ_COMMITTED), 3, "latest committed")
    check_equal(offset(OffsetSpec.max_timestamp()), 1, "greatest timestamp")
    check_equal(offset(OffsetSpec.for_timestamp(1500)), 1, "first since 1500")
    check_equal(offset(OffsetSpec.for_timestamp(9999)), -1, "first since 9999")
    (deleted,) = results(admin.delete_records([TopicPartition(topic, 0, 2)])).values()
    check_equal(deleted.low_watermark, 2, "low watermark")
    check_equal(offset(OffsetSpec.earliest()), 2, "earliest after deleting")
    beyond = error_of(lambda: results(admin.delete_records([TopicPartition(topic, 0, 9)])))
    check_equal(beyond, "OFFSET_OUT_OF_RANGE", "deleting beyond the end")
    cluster = admin.describe_cluster().result(DEADLINE)
    if not cluster.nodes or not cluster.cluster_id or cluster.controller is None:
        raise Failure(f"the cluster describes {cluster.nodes}, {cluster.cluster_id}, {cluster.controller}")


def group_administration(protocol, state_type):
    @case(f"the admin client lists, describes, alters and deletes groups ({protocol} protocol)")
    def _():
        admin = admin_client()
        topic = create_topic(1)
        group = unique("group")
        send(topic, [b"1", b"2", b"3"])
        member = Member(topic, group, group_protocol=protocol, client_id="one")
        try:
            Member.poll_until("records", [member], lambda: len(member.values) == 3)
            member.client.commit(asynchronous=False)
            described = results(admin.describe_consumer_groups([group]))[group]
            check_equal(described.state, ConsumerGroupState.STABLE, "state")
            check_equal(described.type, state_type, "type")
            check_equal([one.client_id for one in described.members], ["one"], "members")
            owned = [one.partition for one in described.members[0].assignment.topic_partitions]
            check_equal(owned, [0], "assignment")
            refused = error_of(lambda: results(admin.delete_consumer_groups([group])))
            check_equal(refused, "NON_EMPTY_GROUP", "deleting the group while it has a member")
        finally:
            member.close()
        listed = admin.list_consumer_groups(states={ConsumerGroupState.EMPTY}).result(DEADLINE)
        check_equal([one.group_id for one in listed.valid if one.group_id == group], [group], "empty groups")
        wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 1)])
        results(admin.alter_consumer_group_offsets([wanted]))
        offsets = results(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))[group]
        check_equal([one.offset for one in offsets.topic_partitions], [1], "altered offsets")
        results(admin.delete_consumer_groups([group]))
        missing = error_of(lambda: results(admin.delete_consumer_groups([group])))
        check_equal(missing, "GROUP_ID_NOT_FOUND", "deleting the group once more")


group_administration("classic", ConsumerGroupType.CLASSIC)
group_administration("consumer", ConsumerGroupType.CONSUMER)


def run(function):
    """The case's failure as text, or None; a case that hangs is given up after its deadline."""
    outcome = []

    def body():
        try:
            function()
            outcome.append(None)
        except Failure as failure:
            outcome.append(str(failure))
        except Exception:
            outcome.append(traceback.format_exc())

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(CASE_DEADLINE)
    return outcome[0] if outcome else f"no end within {CASE_DEADLINE:.0f} s"


def main():
    match = os.environ.get("MATCH", "")
    chosen = [(sentence, function) for sentence, function in CASES if match in sentence]
    if "--list" in sys.argv:
        for sentence, _ in chosen:
            print(sentence)
        return 0
    print(f"plan {len(chosen)}")
    failed = 0
    for sentence, function in chosen:
        reason = run(function)
        if reason is None:
            print(f"ok {sentence}", flush=True)
        else:
            failed += 1
            indented = "\n".join(f"    {line}" for line in reason[:4000].splitlines())
            print(f"FAIL {sentence}\n{indented}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a case that was given up may hold its thread in librdkafka
