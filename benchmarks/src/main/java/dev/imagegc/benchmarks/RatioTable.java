/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the benchmarks and prints one table: the collector, the kubelet's pass in Java in the same run, and the kubelet's own
 * Go code as it was measured elsewhere.
 *
 * <p>The two sides alternate: each round measures one after the other, each in a JVM of its own.
 */
public final class RatioTable {
  private static final int DEFAULT_ROUNDS = 3;
  private static final int IMAGES_FOR_HEAP = 100_000;
  private static final double MEGABYTE = 1e6;

  /** What both sides do. */
  private enum Task {
    CYCLE_1K(CycleBenchmark.class, 1_000, false),
    CYCLE_10K(CycleBenchmark.class, 10_000, false),
    CYCLE_100K(CycleBenchmark.class, 100_000, false),
    WARM_DETECTION(DetectionBenchmark.class, 10_000, false),
    MOUNT_DETECTION(DetectionBenchmark.class, 10_000, true);

    private final Class<?> benchmark;
    private final int images;
    private final boolean mounts;

    Task(Class<?> benchmark, int images, boolean mounts) {
      this.benchmark = benchmark;
      this.images = images;
      this.mounts = mounts;
    }

    ChainedOptionsBuilder options() {
      ChainedOptionsBuilder options = new OptionsBuilder()
          .include(benchmark.getName() + "\\.")
          .param("images", String.valueOf(images));
      return benchmark.equals(DetectionBenchmark.class)
          ? options.param("mounts", String.valueOf(mounts))
          : options;
    }
  }

  /** One side of the table: the median of each round. */
  private static final class Side {
    private final Map<Task, List<Double>> millis = new EnumMap<>(Task.class);
    private final Map<Task, List<Double>> bytes = new EnumMap<>(Task.class);

    void add(Task task, RunResult result) {
      add(millis, task, result, iteration -> iteration.getPrimaryResult().getScore());
      add(
          bytes,
          task,
          result,
          iteration -> Objects.requireNonNull(
                  iteration.getSecondaryResults().get("gc.alloc.rate.norm"))
              .getScore());
    }

    private static void add(
        Map<Task, List<Double>> rounds,
        Task task,
        RunResult result,
        ToDoubleFunction<IterationResult> score) {
      List<Double> iterations = result.getAggregatedResult().getIterationResults().stream()
          .map(score::applyAsDouble)
          .toList();
      rounds.computeIfAbsent(task, key -> new ArrayList<>()).add(Series.median(iterations));
    }

    Series millis(Task task) {
      return new Series(millis.getOrDefault(task, List.of()));
    }

    Series megabytes(Task task) {
      return new Series(bytes.getOrDefault(task, List.of())).dividedBy(MEGABYTE);
    }

    Series growth() {
      return millis(Task.CYCLE_100K).dividedBy(millis(Task.CYCLE_10K));
    }
  }

  private final Side ours = new Side();
  private final Side kubelet = new Side();

  private RatioTable() {}

  /**
   * Prints the table.
   *
   * @param args how many rounds; 3 if nothing is said
   * @throws RunnerException if a benchmark fails
   */
  public static void main(String[] args) throws RunnerException {
    int rounds = args.length == 0 ? DEFAULT_ROUNDS : Integer.parseInt(args[0]);
    String environment = environment();
    RatioTable table = new RatioTable();
    for (int round = 1; round <= rounds; round++) {
      for (Task task : Task.values()) {
        System.err.println("round " + round + " of " + rounds + ": " + task);
        table.measure(task);
      }
    }
    double heap = RetainedHeap.bytesPerImage(IMAGES_FOR_HEAP);
    System.out.println(environment + ", rounds: " + rounds + "\n");
    table.print(heap);
  }

  private static String environment() {
    return String.format(
        Locale.ROOT,
        "JDK %s, %s, %d cores, load average %.2f at the start",
        System.getProperty("java.runtime.version"),
        System.getProperty("os.arch"),
        Runtime.getRuntime().availableProcessors(),
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
  }

  private void measure(Task task) throws RunnerException {
    ChainedOptionsBuilder options = task.options()
        .addProfiler(GCProfiler.class)
        .verbosity(VerboseMode.SILENT)
        .shouldFailOnError(true);
    for (RunResult result : new Runner(options.build()).run()) {
      boolean isOurs = result.getParams().getBenchmark().endsWith(".ours");
      (isOurs ? ours : kubelet).add(task, result);
    }
  }

  private void print(double heap) {
    System.out.println(
        "| measure | ours | Java baseline | ours / baseline | kubelet (Go) | ours / Go | aim | met |");
    System.out.println("|---|---|---|---|---|---|---|---|");
    time("cycle, 1,000 images, ms", Task.CYCLE_1K, 0.89, 0.25);
    time("cycle, 10,000 images, ms", Task.CYCLE_10K, 10.2, 0.25);
    time("cycle, 100,000 images, ms", Task.CYCLE_100K, 235, 0.5);
    Series growth = ours.growth();
    row(
        "cycle, t(100,000) / t(10,000)",
        growth,
        kubelet.growth(),
        235 / 10.2,
        "ours ≤ 15",
        met(growth.median(), 15));
    Series detection = ours.millis(Task.WARM_DETECTION);
    row(
        "warm detection, 10,000 images, ms",
        detection,
        kubelet.millis(Task.WARM_DETECTION),
        7.04,
        "–",
        "–");
    Series garbage = ours.megabytes(Task.WARM_DETECTION);
    row(
        "allocated by it, MB",
        garbage,
        kubelet.megabytes(Task.WARM_DETECTION),
        6.2,
        "ours / Go ≤ 0.1",
        met(garbage.median() / 6.2, 0.1));
    time(
        "detection, 10,000 images, one mounted per container, ms", Task.MOUNT_DETECTION, 533, 0.02);
    System.out.println("| retained heap per image, B | " + Series.number(heap)
        + " | – | – | – | – | ours < 500 | " + met(heap, Math.nextDown(500.0)) + " |");
  }

  private void time(String measure, Task task, double go, double aim) {
    Series millis = ours.millis(task);
    row(
        measure,
        millis,
        kubelet.millis(task),
        go,
        "ours / Go ≤ " + aim,
        met(millis.median() / go, aim));
  }

  private static String met(double value, double most) {
    return value <= most ? "yes" : "no";
  }

  private static void row(
      String measure, Series ours, Series baseline, double go, String aim, String met) {
    System.out.println("| "
        + String.join(
            " | ",
            measure,
            ours.text(),
            baseline.text(),
            ours.dividedBy(baseline).text(),
            Series.number(go),
            Series.number(ours.median() / go),
            aim,
            met)
        + " |");
  }
}
