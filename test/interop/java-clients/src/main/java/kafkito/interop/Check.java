package kafkito.interop;

import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** Assertions whose messages say what was expected. */
final class Check {

    private Check() {}

    /** A case found something wrong; the message is all there is to say. */
    static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Failure(String message) {
            super(message);
        }
    }

    static void that(boolean condition, String message) {
        if (!condition) {
            throw new Failure(message);
        }
    }

    static void equal(String what, Object expected, Object actual) {
        that(Objects.equals(expected, actual), what + ": expected " + expected + ", got " + actual);
    }

    /** Asks until the answer is the expected one: a broker hears of a change a moment after the controller made it. */
    static void eventually(String what, Object expected, Callable<?> call) throws Exception {
        Object[] last = {null};
        Cluster.until(
                () -> what + " " + expected + ", last seen was " + last[0],
                () -> {
                    try {
                        last[0] = call.call();
                    } catch (ExecutionException e) {
                        last[0] = e.getCause();
                    }
                    return Objects.equals(expected, last[0]);
                },
                () -> {});
    }

    /** Asks until the answer is a refusal with this exception, for the same reason. */
    static void eventuallyRefused(String what, Class<? extends Exception> expected, Callable<?> call) throws Exception {
        eventually(what, expected, () -> {
            try {
                return call.call();
            } catch (ExecutionException e) {
                return e.getCause().getClass();
            }
        });
    }

    /** The call must end with this exception, bare or as the cause of the one that a future throws. */
    static void refused(String what, Class<? extends Exception> expected, Callable<?> call) {
        Throwable thrown;
        try {
            Object answer = call.call();
            throw new Failure(what + ": expected " + expected.getSimpleName() + ", got the answer " + answer);
        } catch (ExecutionException e) {
            thrown = e.getCause();
        } catch (Failure e) {
            throw e;
        } catch (Exception e) {
            thrown = e;
        }
        that(expected.isInstance(thrown), what + ": expected " + expected.getSimpleName() + ", got " + thrown);
    }
}
