package kafkito.interop.chaos;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Java's part in the scenario of faults. Arguments are key=value; each role that has its key runs in a thread of its own and prints what
 * happened to it, a line an event (chaos/events.ts). "stop produce" and "stop consume" on standard input end the roles in order.
 */
public final class Worker {

    static volatile boolean isProducing = true;
    static volatile boolean isConsuming = true;

    private Worker() {}

    /** Events of all threads, whole lines in the order in which they happened. */
    static synchronized void emit(Object... words) {
        StringBuilder line = new StringBuilder();
        for (Object word : words) {
            line.append(line.length() == 0 ? "" : " ").append(word);
        }
        System.out.println(line);
    }

    static void note(String role, Throwable error) {
        emit("note", role, String.valueOf(error).replace('\n', ' '));
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", System.getenv().getOrDefault("CHAOS_LOG", "off"));
        Map<String, String> given = new HashMap<>();
        for (String arg : args) {
            int at = arg.indexOf('=');
            given.put(arg.substring(0, at), arg.substring(at + 1));
        }
        String bootstrap = given.get("bootstrap");
        if (given.containsKey("dump")) {
            Dump.run(bootstrap, List.of(given.get("dump").split(",")));
            Runtime.getRuntime().halt(0);
        }
        List<Thread> producing = new ArrayList<>();
        List<Thread> consuming = new ArrayList<>();
        if (given.containsKey("produce")) {
            producing.add(start(new Produce(bootstrap, given.get("produce"), Integer.parseInt(given.get("perSecond")))));
        }
        if (given.containsKey("group")) {
            List<String> topics = List.of(given.get("topics").split(","));
            for (int member = 0; member < 2; member++) {
                consuming.add(start(new Member(bootstrap, given.get("group"), "m" + member, topics)));
            }
        }
        if (given.containsKey("forward")) {
            consuming.add(start(new Forward(bootstrap, given.get("forward"), given.get("sink"))));
        }
        try (BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String command = commands.readLine(); command != null; command = commands.readLine()) {
                if (command.equals("stop produce")) {
                    isProducing = false;
                    join(producing);
                    emit("done", "produce");
                } else if (command.equals("stop consume")) {
                    isConsuming = false;
                    join(consuming);
                    emit("done", "consume");
                    break;
                }
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static Thread start(Runnable role) {
        Thread thread = new Thread(role);
        thread.start();
        return thread;
    }

    private static void join(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    static Map<String, Object> settings(String bootstrap, Object... pairs) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("retry.backoff.ms", 50);
        settings.put("reconnect.backoff.ms", 50);
        settings.put("reconnect.backoff.max.ms", 500);
        settings.put("request.timeout.ms", 4000);
        settings.put("metadata.max.age.ms", 5000);
        for (int i = 0; i < pairs.length; i += 2) {
            settings.put((String) pairs[i], pairs[i + 1]);
        }
        return settings;
    }
}
