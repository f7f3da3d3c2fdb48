"""librdkafka as members of groups that it shares with other clients: commands on standard input, a line an event (foreign-members.ts)."""

import sys
import threading

from confluent_kafka import Consumer, KafkaException

bootstrap = sys.argv[1]
printing = threading.Lock()
leaving = {}


def emit(*words):
    with printing:
        print(*words, flush=True)


def member(life, group, topic, mode):
    settings = {
        "bootstrap.servers": bootstrap,
        "client.id": life,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 200,
        "retry.backoff.ms": 20,
        "log_level": 0,
    }
    if mode == "consumer":
        settings["group.protocol"] = "consumer"
    else:
        settings |= {"partition.assignment.strategy": mode, "heartbeat.interval.ms": 300}
    consumer = Consumer(settings)

    def tell(what):
        return lambda _, partitions: emit(what, life, *(one.partition for one in partitions))

    def lost(_, partitions):
        emit("problem", life, "lost", *(one.partition for one in partitions))

    try:
        consumer.subscribe([topic], on_assign=tell("assigned"), on_revoke=tell("revoked"), on_lost=lost)
        while not leaving[life].is_set():
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error() is None:
                emit("got", life, message.partition(), message.offset(), message.value().decode())
            elif not message.error().retriable():
                emit("problem", life, message.error().name())
    except KafkaException as error:
        emit("problem", life, str(error).replace("\n", " "))
    finally:
        consumer.close()
        emit("left", life)


for command in sys.stdin:
    verb, life, *rest = command.split()
    if verb == "join":
        leaving[life] = threading.Event()
        threading.Thread(target=member, args=(life, *rest), daemon=True).start()
    else:
        leaving[life].set()
