/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Where the logs of this module's tests go: nowhere or, while a test records, into its memory, down to the last level and from
 * the libraries too. The pom names it in {@code slf4j.provider}.
 */
public final class RecordingLogs implements SLF4JServiceProvider {
  private static volatile List<String> recorded;

  private final Map<String, Logger> loggers = new ConcurrentHashMap<>();
  private final IMarkerFactory markers = new BasicMarkerFactory();
  private final MDCAdapter mdc = new NOPMDCAdapter();

  /** Records until the test stops it; every line begins with its level and the name of its logger. */
  static List<String> record() {
    List<String> lines = new CopyOnWriteArrayList<>();
    recorded = lines;
    return lines;
  }

  static void stop() {
    recorded = null;
  }

  private static final class Recorder extends LegacyAbstractLogger {
    Recorder(String name) {
      this.name = name;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level, Marker marker, String pattern, Object[] arguments, Throwable thrown) {
      List<String> lines = recorded;
      if (lines != null) {
        StringWriter text = new StringWriter();
        text.append(level + " " + name + " ")
            .append(MessageFormatter.basicArrayFormat(pattern, arguments));
        if (thrown != null) {
          thrown.printStackTrace(new PrintWriter(text));
        }
        lines.add(text.toString());
      }
    }

    @Override
    protected String getFullyQualifiedCallerName() {
      return Recorder.class.getName();
    }

    @Override
    public boolean isTraceEnabled() {
      return recorded != null;
    }

    @Override
    public boolean isDebugEnabled() {
      return recorded != null;
    }

    @Override
    public boolean isInfoEnabled() {
      return recorded != null;
    }

    @Override
    public boolean isWarnEnabled() {
      return recorded != null;
    }

    @Override
    public boolean isErrorEnabled() {
      return recorded != null;
    }
  }

  @Override
  public ILoggerFactory getLoggerFactory() {
    return name -> loggers.computeIfAbsent(name, Recorder::new);
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return markers;
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return mdc;
  }

  @Override
  public String getRequestedApiVersion() {
    return "2.0.99";
  }

  @Override
  public void initialize() {}
}
