/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLSocket;
import org.apache.hc.client5.http.impl.io.DefaultManagedHttpClientConnection;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.SocketHolder;
import org.apache.hc.core5.http.io.HttpConnectionFactory;

/**
 * A connection that logs neither headers nor bytes. The HTTP client's own does both at the level DEBUG, and so would write the
 * credentials of a pull into the log of every host that logs all there is.
 */
final class QuietConnection extends DefaultManagedHttpClientConnection {
  private static final AtomicLong LAST_NUMBER = new AtomicLong();

  private final boolean unix;

  private QuietConnection(Http1Config limits, boolean unix) {
    super("imagegc-" + LAST_NUMBER.incrementAndGet(), null, null, limits, null, null, null, null);
    this.unix = unix;
  }

  static HttpConnectionFactory<ManagedHttpClientConnection> factory(
      Http1Config limits, boolean unix) {
    return socket -> {
      QuietConnection connection = new QuietConnection(limits, unix);
      if (socket != null) {
        connection.bind(socket);
      }
      return connection;
    };
  }

  @Override
  public void bind(Socket socket) throws IOException {
    bind(new SocketHolder(unix ? new UnixSocket(socket) : socket));
  }

  @Override
  public void bind(SSLSocket tls, Socket socket) throws IOException {
    bind(new SocketHolder(tls, socket));
  }

  @Override
  protected void onRequestSubmitted(ClassicHttpRequest request) {}

  @Override
  protected void onResponseReceived(ClassicHttpResponse response) {}
}
