package kafkito.interop.mixed;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Members of groups that they share with other clients: commands on standard input, a line an event (mixed-groups/foreign-members.ts). */
public final class Members {

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Map<String, Member> MEMBERS = new ConcurrentHashMap<>();

    private Members() {}

    static synchronized void emit(String line) {
        System.out.println(line);
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        try (BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String command = commands.readLine(); command != null; command = commands.readLine()) {
                String[] words = command.split(" ");
                if (words[0].equals("join")) {
                    Member member = new Member(args[0], words[1], words[2], words[3], words[4]);
                    MEMBERS.put(words[1], member);
                    new Thread(member, words[1]).start();
                } else {
                    MEMBERS.get(words[1]).isLeaving = true;
                }
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static final class Member implements Runnable, ConsumerRebalanceListener {

        volatile boolean isLeaving;
        private final String life;
        private final String topic;
        private final Map<String, Object> settings = new HashMap<>();

        Member(String bootstrap, String life, String group, String topic, String mode) {
            this.life = life;
            this.topic = topic;
            settings.put("bootstrap.servers", bootstrap);
            settings.put("client.id", life);
            settings.put("group.id", group);
            settings.put("auto.offset.reset", "earliest");
            settings.put("enable.auto.commit", true);
            settings.put("fetch.max.wait.ms", 200);
            settings.put("retry.backoff.ms", 20);
            if (mode.equals("consumer")) {
                settings.put("group.protocol", "consumer");
            } else {
                var assignor = mode.equals("range") ? RangeAssignor.class : CooperativeStickyAssignor.class;
                settings.put("partition.assignment.strategy", assignor.getName());
                settings.put("heartbeat.interval.ms", 300);
            }
        }

        @Override
        public void run() {
            var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
            try (consumer) {
                consumer.subscribe(List.of(topic), this);
                while (!isLeaving) {
                    for (var record : consumer.poll(POLL)) {
                        emit("got " + life + " " + record.partition() + " " + record.offset() + " " + record.value());
                    }
                }
            } catch (RuntimeException e) {
                emit("problem " + life + " " + String.valueOf(e).replace('\n', ' '));
            }
            emit("left " + life);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> added) {
            tell("assigned", added);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> removed) {
            tell("revoked", removed);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> lost) {
            emit("problem " + life + " lost " + lost);
        }

        private void tell(String what, Collection<TopicPartition> partitions) {
            emit(what + " " + life + partitions.stream().map(one -> " " + one.partition()).collect(Collectors.joining()));
        }
    }
}
