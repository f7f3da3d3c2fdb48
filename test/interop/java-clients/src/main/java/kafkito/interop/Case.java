package kafkito.interop;

/** One sentence about Kafka and the program that proves it. */
record Case(String name, Body body) {

    /** What a case does; it passes when nothing is thrown. */
    @FunctionalInterface
    interface Body {
        void run() throws Exception;
    }
}
