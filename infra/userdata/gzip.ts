import { gzip } from "pako";

/**
 * gzip with a pinned compressor in JavaScript, a port of zlib. Node's own zlib produces different bytes on another
 * processor or release, and changed bytes are a new release.
 */
export function gzipped(text: string): Buffer {
  // pako's header has no time.
  return Buffer.from(gzip(text, { level: 9 }));
}
