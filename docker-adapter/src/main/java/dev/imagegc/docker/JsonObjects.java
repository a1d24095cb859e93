/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * A stream of JSON objects, one after the other, with blanks and line ends between them or without. Each is read whole before
 * anything is made of it, so that a stream that is cut off never looks like a smaller object.
 */
final class JsonObjects {
  /** Far more than any event or any progress of a pull. */
  static final int MAX_BYTES = 1024 * 1024;

  private final InputStream in;

  JsonObjects(InputStream in) {
    this.in = new BufferedInputStream(in);
  }

  /**
   * Reads the next object.
   *
   * @return what the parser made of it, or null at the end of the stream
   * @throws IOException if the stream ends in the middle, or there is something else
   */
  <T> @Nullable T next(Json.Parser<T> parser) throws IOException {
    byte[] object = bytes();
    return object == null ? null : Json.document(new ByteArrayInputStream(object), parser);
  }

  private byte @Nullable [] bytes() throws IOException {
    int first = in.read();
    while (first == ' ' || first == '\n' || first == '\r' || first == '\t') {
      first = in.read();
    }
    if (first < 0) {
      return null;
    }
    if (first != '{') {
      throw Json.malformed("there is something that is no object between the objects of a stream");
    }
    return rest();
  }

  /** Counts braces; those in strings do not count, and no other byte of UTF-8 looks like one of ASCII. */
  private byte[] rest() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    bytes.write('{');
    boolean inString = false;
    for (int depth = 1; depth > 0; ) {
      int b = read(bytes);
      if (b == '"') {
        inString = !inString;
      } else if (inString && b == '\\') {
        read(bytes);
      } else if (!inString && b == '{') {
        depth++;
      } else if (!inString && b == '}') {
        depth--;
      }
    }
    return bytes.toByteArray();
  }

  private int read(ByteArrayOutputStream bytes) throws IOException {
    int b = in.read();
    if (b < 0) {
      throw new EOFException("the stream ends in the middle of an object");
    }
    if (bytes.size() == MAX_BYTES) {
      throw Json.malformed("an object of a stream is longer than " + MAX_BYTES + " bytes");
    }
    bytes.write(b);
    return b;
  }
}
