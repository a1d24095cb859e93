/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.hc.core5.io.Closer;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP client's unix socket, closed whole. By itself (HttpClient 5.6) it leaves the selectors of both streams open with each
 * connection, four file descriptors for as long as the process lives. And whatever {@link Socket} is asked that it does not answer
 * itself opens a TCP socket, which only the garbage collection closes: so everything is answered here that the client asks.
 */
final class UnixSocket extends Socket {
  private final Socket socket;
  private final Queue<Closeable> streams = new ConcurrentLinkedQueue<>();

  /**
   * Wraps a socket.
   *
   * @param socket the client's, connected or not
   */
  UnixSocket(Socket socket) {
    this.socket = socket;
  }

  @Override
  public InputStream getInputStream() throws IOException {
    return remembered(socket.getInputStream());
  }

  @Override
  public OutputStream getOutputStream() throws IOException {
    return remembered(socket.getOutputStream());
  }

  private <T extends Closeable> T remembered(T stream) {
    streams.add(stream);
    if (isClosed()) {
      Closer.closeQuietly(stream);
    }
    return stream;
  }

  @Override
  public synchronized void close() throws IOException {
    try {
      socket.close();
    } finally {
      streams.forEach(Closer::closeQuietly);
    }
  }

  /** A path is no such address. */
  @Override
  public @Nullable InetAddress getInetAddress() {
    return null;
  }

  @Override
  public @Nullable SocketAddress getRemoteSocketAddress() {
    return null;
  }

  @Override
  public @Nullable SocketAddress getLocalSocketAddress() {
    return null;
  }

  @Override
  public boolean isConnected() {
    return socket.isConnected();
  }

  @Override
  public boolean isClosed() {
    return socket.isClosed();
  }

  @Override
  public synchronized int getSoTimeout() throws SocketException {
    return socket.getSoTimeout();
  }

  @Override
  public synchronized void setSoTimeout(int timeout) throws SocketException {
    socket.setSoTimeout(timeout);
  }

  /** A unix socket does not linger. */
  @Override
  public void setSoLinger(boolean on, int linger) {}

  /** What was written is there at once, and closing says the rest. */
  @Override
  public void shutdownOutput() {}

  /** Closing says it. */
  @Override
  public void shutdownInput() {}
}
