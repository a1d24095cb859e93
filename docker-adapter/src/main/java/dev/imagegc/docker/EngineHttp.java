/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.MalformedJsonException;
import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.ClientProtocolException;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.MalformedChunkCodingException;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * HTTP to one engine: one request, one answer, within a deadline; or one request and a stream that follows.
 *
 * <p>A call runs on a daemon worker thread while its caller waits. So the deadline and an interrupt free the caller
 * wherever the exchange hangs: connecting to a unix socket whose backlog is full, a head that never comes, a body that
 * drips. The HTTP client's own timeouts cover none of these in full.
 *
 * <p>Each call opens a connection of its own. On a unix socket that costs microseconds, and no stale connection of an
 * engine that was restarted can make the outcome of a removal unknown. Nothing is ever sent twice.
 *
 * <p>A stream is read on its worker thread for as long as it lives, without any deadline. That an engine on another machine
 * has vanished without a word is noticed after some two minutes, by the keep-alive of TCP.
 */
final class EngineHttp implements AutoCloseable {
  /** Longer than any line of an engine; random bytes without a line end must not fill the memory. */
  private static final int MAX_LINE_LENGTH = 64 * 1024;

  private static final int MAX_HEADERS = 200;
  private static final int MAX_CONNECTIONS = 256;
  private static final int MAX_TEXT_BYTES = 1024 * 1024;
  private static final long WORKER_KEEP_ALIVE_SECONDS = 10;
  private static final int TCP_IDLE_SECONDS = 60;
  private static final int TCP_PROBE_SECONDS = 15;
  private static final int TCP_PROBES = 4;
  private static final String CONNECTED = "imagegc.connected";
  private static final AtomicInteger WORKER_NUMBER = new AtomicInteger();

  /** Reads an answer of any status whole; runs on a worker thread. */
  interface Reader<T> {
    T read(int status, InputStream body) throws IOException;
  }

  /** Reads what follows the head of a stream; runs on a worker thread. */
  interface Tail {
    /** Reads until the stream ends. */
    void read(InputStream body) throws IOException;

    /**
     * Hears once that nothing more is read.
     *
     * @param failure why, or null if the engine ended the stream in good order
     */
    void ended(@Nullable GcException failure);
  }

  /** A stream whose head is there: open if the answer is a success, otherwise over. */
  static final class Stream implements AutoCloseable {
    private final HttpUriRequestBase request;
    private final Answer answer;

    private Stream(HttpUriRequestBase request, Answer answer) {
      this.request = request;
      this.answer = answer;
    }

    /** The head, with the whole text if it is no success. */
    Answer answer() {
      return answer;
    }

    /** Closes the connection without waiting; the tail hears of it as of a failure. */
    @Override
    public void close() {
      request.cancel();
    }
  }

  /** An answer as text. */
  record Answer(int status, String body) {
    boolean isSuccess() {
      return status >= 200 && status < 300;
    }
  }

  private final EngineHost host;
  private final Duration connectTimeout;
  private final CloseableHttpClient client;
  private final ExecutorService workers;
  private volatile boolean closed;

  EngineHttp(EngineHost host, @Nullable SSLContext tls, Duration connectTimeout) {
    this.host = host;
    this.connectTimeout = connectTimeout;
    this.client = client(host, tls);
    this.workers = new ThreadPoolExecutor(
        0,
        Integer.MAX_VALUE,
        WORKER_KEEP_ALIVE_SECONDS,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        EngineHttp::worker);
  }

  private static Thread worker(Runnable task) {
    Thread thread = new Thread(task, "imagegc-docker-" + WORKER_NUMBER.incrementAndGet());
    thread.setDaemon(true);
    return thread;
  }

  private static CloseableHttpClient client(EngineHost host, @Nullable SSLContext tls) {
    Http1Config limits = Http1Config.custom()
        .setMaxLineLength(MAX_LINE_LENGTH)
        .setMaxHeaderCount(MAX_HEADERS)
        .build();
    PoolingHttpClientConnectionManagerBuilder connections =
        PoolingHttpClientConnectionManagerBuilder.create()
            .setConnectionFactory(QuietConnection.factory(limits, host.socket() != null))
            .setMaxConnTotal(MAX_CONNECTIONS)
            .setMaxConnPerRoute(MAX_CONNECTIONS);
    if (host.socket() == null) {
      connections.setDefaultSocketConfig(SocketConfig.custom()
          .setSoKeepAlive(true)
          .setTcpKeepIdle(TCP_IDLE_SECONDS)
          .setTcpKeepInterval(TCP_PROBE_SECONDS)
          .setTcpKeepCount(TCP_PROBES)
          .build());
    }
    if (tls != null) {
      connections.setTlsSocketStrategy(new DefaultClientTlsStrategy(tls));
    }
    RequestConfig.Builder requests = RequestConfig.custom()
        .setResponseTimeout(Timeout.DISABLED) // the deadline of the call is the only clock
        .setRedirectsEnabled(false)
        .setProtocolUpgradeEnabled(false);
    if (host.socket() != null) {
      requests.setUnixDomainSocket(host.socket());
    }
    return HttpClients.custom()
        .setConnectionManager(connections.build())
        .setDefaultRequestConfig(requests.build())
        .setConnectionReuseStrategy((request, response, context) -> false)
        .addRequestInterceptorLast((request, entity, context) -> markConnected(context))
        .setUserAgent("imagegc")
        .disableAutomaticRetries()
        .disableRedirectHandling()
        .disableAuthCaching()
        .disableCookieManagement()
        .disableContentCompression()
        .build();
  }

  /** Requests are written only when there is a connection, so this tells the two waits of a call apart. */
  private static void markConnected(HttpContext context) {
    if (context.getAttribute(CONNECTED) instanceof Exchange<?> exchange) {
      exchange.connected.complete(true);
    }
  }

  EngineHost host() {
    return host;
  }

  /**
   * Sends a request and reads the answer as text of at most 1 MiB.
   *
   * @see #call(String, String, Duration, Reader)
   */
  Answer call(String method, String path, Duration deadline) {
    return call(method, path, deadline, (status, body) -> new Answer(status, text(body)));
  }

  /**
   * Sends a request and reads the answer.
   *
   * @param method the HTTP method
   * @param path the path and query
   * @param deadline how long asking and reading may take together, once connected
   * @param reader reads the answer; what it throws for malformed input becomes a {@link ProtocolException}
   * @return what the reader made of the answer
   * @throws GcException if there is no whole answer
   * @throws IllegalStateException if this object is closed
   */
  <T> T call(String method, String path, Duration deadline, Reader<T> reader) {
    Exchange<T> exchange = new Exchange<>(
        method,
        path,
        (running, status, body) -> running.result.complete(reader.read(status, body)));
    start(exchange);
    try {
      return exchange.await(deadline);
    } finally {
      exchange.request.cancel(); // closes the connection of a call that is given up
    }
  }

  /**
   * Sends a request and waits for the head of the answer. Of a success the tail reads what follows, on another thread, also
   * after this method has returned; of any other answer the text is read here.
   *
   * @param headers sent along; never logged
   * @param deadline how long the head may take, once connected
   * @return the stream; the caller closes it
   * @throws GcException if no head comes
   * @throws IllegalStateException if this object is closed
   */
  Stream open(
      String method, String path, Map<String, String> headers, Duration deadline, Tail tail) {
    Exchange<Answer> exchange = new Exchange<>(
        method, path, (running, status, body) -> follow(running, status, body, tail));
    headers.forEach(exchange.request::setHeader);
    start(exchange);
    try {
      return new Stream(exchange.request, exchange.await(deadline));
    } catch (RuntimeException e) {
      exchange.result.completeExceptionally(e); // a head that still comes is too late
      exchange.request.cancel();
      throw e;
    }
  }

  private static void follow(Exchange<Answer> running, int status, InputStream body, Tail tail)
      throws IOException {
    if (status < 200 || status >= 300) {
      running.result.complete(new Answer(status, text(body)));
      return;
    }
    if (!running.result.complete(new Answer(status, ""))) {
      return;
    }
    GcException failure = null;
    try {
      tail.read(body);
    } catch (IOException | RuntimeException | Error e) {
      failure = running.streamFailure(e);
    }
    running.request.cancel();
    tail.ended(failure);
  }

  private void start(Exchange<?> exchange) {
    try {
      if (closed) {
        throw closedBefore(null);
      }
      workers.execute(exchange);
    } catch (RejectedExecutionException e) {
      throw closedBefore(e);
    }
  }

  private IllegalStateException closedBefore(@Nullable Exception cause) {
    return new IllegalStateException("The runtime of " + host + " is closed.", cause);
  }

  /** Reads at most 1 MiB of UTF-8. */
  static String text(InputStream body) throws IOException {
    byte[] bytes = body.readNBytes(MAX_TEXT_BYTES);
    if (body.read() >= 0) {
      throw new IllegalStateException("it is longer than " + MAX_TEXT_BYTES + " bytes");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Ends running calls with {@link CancelledException}. Further calls do nothing. */
  @Override
  public void close() {
    closed = true;
    workers.shutdownNow();
    client.close(CloseMode.IMMEDIATE);
  }

  /** Takes an answer, and completes the result of its exchange. */
  private interface Handler<T> {
    void handle(Exchange<T> running, int status, InputStream body) throws IOException;
  }

  /** One call: what its worker and its waiting caller share. */
  private final class Exchange<T> implements Runnable {
    private final String what;
    private final HttpUriRequestBase request;
    private final Handler<T> handler;
    private final CompletableFuture<Boolean> connected = new CompletableFuture<>();
    private final CompletableFuture<T> result = new CompletableFuture<>();

    Exchange(String method, String path, Handler<T> handler) {
      this.what = method + " " + path + " at " + host;
      this.request = new HttpUriRequestBase(method, URI.create(host.baseUri() + path));
      this.handler = handler;
    }

    @Override
    public void run() {
      HttpClientContext context = HttpClientContext.create();
      context.setAttribute(CONNECTED, this);
      try {
        client.execute(request, context, this::read);
      } catch (Throwable e) { // the caller rethrows what is not an answer's fault
        result.completeExceptionally(e);
      } finally {
        connected.complete(false);
      }
    }

    /**
     * Ends the call as soon as the outcome is known. What the HTTP client does afterwards, reading on to the end of a
     * body that is cut off, can hang on a unix socket until the connection is closed, which the caller does.
     */
    private @Nullable Void read(ClassicHttpResponse response) throws IOException {
      HttpEntity entity = response.getEntity();
      InputStream body = entity == null ? InputStream.nullInputStream() : entity.getContent();
      try {
        handler.handle(this, response.getCode(), body);
      } catch (IOException | RuntimeException e) {
        result.completeExceptionally(e);
      }
      return null;
    }

    T await(Duration deadline) {
      await(connected, connectTimeout, "no connection");
      return await(result, deadline, "no whole answer");
    }

    private <V> V await(Future<V> future, Duration limit, String missing) {
      try {
        return future.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        throw new TimedOutException(
            what + ": " + missing + " within " + limit.toMillis() + " ms.", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException(what + ": the calling thread was interrupted.", e);
      } catch (ExecutionException e) {
        throw failure(e.getCause() == null ? e : e.getCause());
      }
    }

    private RuntimeException failure(Throwable cause) {
      if (closed) {
        return new CancelledException(what + ": the runtime was closed meanwhile.", cause);
      }
      if (cause instanceof GcException known) {
        return known;
      }
      if (cause instanceof SSLException) {
        return new UnreachableException(what + ": TLS failed: " + words(cause), cause);
      }
      if (malformed(cause)) {
        return new ProtocolException(
            what + ": the answer is malformed or cut short: " + words(cause), cause);
      }
      if (!(cause instanceof IOException)) {
        return cause instanceof RuntimeException bug ? bug : new IllegalStateException(what, cause);
      }
      if (connected.getNow(false)) {
        return new UnreachableException(
            what + ": the connection was lost before an answer came: " + words(cause), cause);
      }
      return unconnected(cause);
    }

    /** Why a stream ended whose head was there. A connection that is cut is the usual end of an engine. */
    private GcException streamFailure(Throwable cause) {
      if (!closed
          && (cause instanceof ConnectionClosedException
              || cause instanceof MalformedChunkCodingException)) {
        return new UnreachableException(what + ": the connection was lost: " + words(cause), cause);
      }
      return failure(cause) instanceof GcException known
          ? known
          : new ProtocolException(what + ": the stream cannot be read: " + words(cause), cause);
    }

    /** A connection that was never made. The operating system's words may be in any language, so the file is asked. */
    private GcException unconnected(Throwable cause) {
      Path socket = host.socket();
      if (socket == null) {
        String problem = cause instanceof UnknownHostException ? "unknown host" : words(cause);
        return new UnreachableException(what + ": cannot connect: " + problem + ".", cause);
      }
      if (Files.notExists(socket)) {
        return new UnreachableException(what + ": there is no such socket.", cause);
      }
      if (!Files.exists(socket) || !Files.isWritable(socket)) {
        return new AccessDeniedException(
            what + ": this user may not use the socket: " + words(cause) + ".", cause);
      }
      return new UnreachableException(
          what + ": nothing listens on the socket: " + words(cause) + ".", cause);
    }
  }

  private static boolean malformed(Throwable cause) {
    return cause instanceof ClientProtocolException
        || cause instanceof MessageConstraintException
        || cause instanceof MalformedChunkCodingException
        || (cause instanceof ConnectionClosedException
            && !(cause instanceof NoHttpResponseException))
        || cause instanceof MalformedJsonException
        || cause instanceof EOFException
        || cause instanceof IllegalStateException
        || cause instanceof IllegalArgumentException
        || cause instanceof DateTimeException;
  }

  private static String words(Throwable cause) {
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }
}
