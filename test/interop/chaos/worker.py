"""librdkafka's part in the scenario of faults: roles in threads, a line an event (see events.ts).

Arguments are key=value. "stop produce", "stop consume" and "stop watch PARTITION:OFFSET..." on standard input end the
roles in order.
"""

import random
import sys
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

PARTITIONS = 3
BURST = 10

given = dict(argument.split("=", 1) for argument in sys.argv[1:])
producing = threading.Event()
consuming = threading.Event()
producing.set()
consuming.set()
printing = threading.Lock()
watched = None  # partition -> the last offset to read, once it is known


def emit(*words):
    with printing:
        print(*words, flush=True)


def note(role, error):
    emit("note", role, str(error).replace("\n", " "))


def settings(**extra):
    return {
        "bootstrap.servers": given["bootstrap"],
        "socket.timeout.ms": 5000,
        "retry.backoff.ms": 50,
        "retry.backoff.max.ms": 500,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 500,
        "topic.metadata.refresh.interval.ms": 5000,
        "topic.metadata.refresh.fast.interval.ms": 100,
        "log_level": 0,
        **{name.replace("_", "."): value for name, value in extra.items()},
    }


def produce(topic, per_second):
    producer = Producer(
        settings(enable_idempotence=True, acks="all", linger_ms=5, request_timeout_ms=4000, message_timeout_ms=240_000)
    )

    def told(number):
        def callback(error, message):
            if error is None:
                emit("ack", topic, message.partition(), number, message.offset())
            else:
                emit("failed", topic, message.partition(), number, error.name())

        return callback

    number = 0
    while producing.is_set():
        for partition in range(PARTITIONS):
            while True:
                try:
                    producer.produce(topic, str(number), partition=partition, on_delivery=told(number))
                    break
                except BufferError:
                    producer.poll(1)
        number += 1
        if number % BURST == 0:
            until = time.monotonic() + PARTITIONS * BURST / per_second
            while (left := until - time.monotonic()) > 0:
                producer.poll(left)
    unanswered = producer.flush(240)
    if unanswered > 0:
        emit("note", "produce", unanswered, "records were never answered")


def is_at_end(consumer, topics):
    """Whether the whole group has committed all there is: what a member left behind may be owned by nobody for a while."""
    try:
        everything = [TopicPartition(topic, partition) for topic in topics for partition in range(PARTITIONS)]
        for one in consumer.committed(everything, timeout=5):
            _, end = consumer.get_watermark_offsets(one, timeout=5)
            if max(one.offset, 0) < end:
                return False
        return True
    except KafkaException:
        return False


def member(group, name, topics):
    lives = 0
    while True:
        lives += 1
        consumer = Consumer(
            settings(
                group_id=group,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                session_timeout_ms=10_000,
                heartbeat_interval_ms=1000,
                fetch_wait_max_ms=200,
            )
        )
        try:
            if live(consumer, group, f"{name}-{lives}", topics, time.monotonic() + random.uniform(5, 12)):
                return
        except KafkaException as error:
            note(group, error)
        finally:
            consumer.close()


def live(consumer, group, life, topics, end):
    def assigned(_, partitions):
        for one in partitions:
            emit("assigned", group, life, one.topic, one.partition)

    consumer.subscribe(topics, on_assign=assigned)
    while True:
        messages = consumer.consume(200, 0.2)
        offsets = {}
        for message in messages:
            if message.error() is not None:
                note(group, message.error())
                continue
            place = (message.topic(), message.partition())
            emit("got", group, life, *place, message.offset(), message.value().decode())
            offsets[place] = message.offset() + 1
        if offsets:
            commit(consumer, group, offsets)
        elif not consuming.is_set() and is_at_end(consumer, topics):
            return True
        if time.monotonic() > end and producing.is_set():
            return False


def commit(consumer, group, offsets):
    for place, offset in offsets.items():
        emit("trying", group, *place, offset)
    try:
        for one in consumer.commit(
            offsets=[TopicPartition(*place, offset) for place, offset in offsets.items()], asynchronous=False
        ):
            if one.error is None:
                emit("committed", group, one.topic, one.partition, one.offset)
            else:
                note(group, one.error)
    except KafkaException as error:
        # The next commit includes it, or whoever takes the partition over reads it again.
        note(group, error)


def watch(topic):
    """Reads what is committed, all the time, in no group, until it has the offsets that it is told in the end."""
    consumer = Consumer(
        settings(
            group_id="no-group",
            auto_offset_reset="error",
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_wait_max_ms=200,
        )
    )
    owned = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)]
    for one in owned:
        emit("assigned", "watch", "w", one.topic, one.partition)
    consumer.assign(owned)
    reached = {}
    deadline = None
    while True:
        for message in consumer.consume(200, 0.2):
            if message.error() is not None:
                note("watch", message.error())
                continue
            emit("got", "watch", "w", message.topic(), message.partition(), message.offset(), message.value().decode())
            reached[message.partition()] = message.offset()
        if watched is not None:
            deadline = deadline or time.monotonic() + 90
            is_done = all(reached.get(partition, -1) >= offset for partition, offset in watched.items())
            if is_done or time.monotonic() > deadline:
                break
    consumer.close()


def start(target, *arguments):
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


threads = {"produce": [], "consume": [], "watch": []}
if "produce" in given:
    threads["produce"].append(start(produce, given["produce"], int(given["perSecond"])))
if "group" in given:
    for name in ("m0", "m1"):
        threads["consume"].append(start(member, given["group"], name, given["topics"].split(",")))
if "watch" in given:
    threads["watch"].append(start(watch, given["watch"]))
for command in sys.stdin:
    _, role, *last = command.split()
    if role == "produce":
        producing.clear()
    elif role == "consume":
        consuming.clear()
    else:
        watched = {int(partition): int(offset) for partition, offset in (one.split(":") for one in last)}
    for thread in threads[role]:
        thread.join()
    emit("done", role)
    if role == "watch":
        break
