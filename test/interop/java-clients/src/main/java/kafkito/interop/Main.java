package kafkito.interop;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Lists or runs the cases and prints the lines that the runner reads. */
public final class Main {

    private static final int CASE_DEADLINE_SECONDS = 120;

    private Main() {}

    public static void main(String[] args) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        List<Case> cases = new ArrayList<>();
        cases.addAll(ProducerCases.all());
        cases.addAll(TransactionCases.all());
        cases.addAll(StreamsCases.all());
        cases.addAll(GroupCases.all());
        cases.addAll(ShareCases.all());
        cases.addAll(TopicAdminCases.all());
        cases.addAll(GroupAdminCases.all());
        cases.addAll(ClusterAdminCases.all());
        String match = System.getenv().getOrDefault("MATCH", "");
        cases.removeIf(one -> !one.name().contains(match));
        if (args.length > 0 && args[0].equals("--list")) {
            cases.forEach(one -> System.out.println(one.name()));
            return;
        }
        System.out.println("plan " + cases.size());
        boolean isFailed = false;
        ExecutorService executor = Executors.newCachedThreadPool();
        for (Case one : cases) {
            String reason = run(executor, one);
            isFailed |= reason != null;
            System.out.println(reason == null ? "ok " + one.name() : "FAIL " + one.name() + "\n" + reason.indent(4).stripTrailing());
        }
        Runtime.getRuntime().halt(isFailed ? 1 : 0);
    }

    /** The reason why the case failed, or null. */
    private static String run(ExecutorService executor, Case one) {
        Future<?> future = executor.submit(() -> {
            one.body().run();
            return null;
        });
        try {
            future.get(CASE_DEADLINE_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Check.Failure failure) {
                return failure.getMessage();
            }
            StringWriter text = new StringWriter();
            e.getCause().printStackTrace(new PrintWriter(text));
            return text.toString();
        } catch (TimeoutException e) {
            future.cancel(true);
            return "no end within " + CASE_DEADLINE_SECONDS + " s";
        } catch (InterruptedException e) {
            return "interrupted";
        }
    }
}
