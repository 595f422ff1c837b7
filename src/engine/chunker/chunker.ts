/** Bytes: no chunk is shorter, but for the last one of a file. */
export const minimumChunk = 524288
/** Bytes: no chunk is longer. */
export const maximumChunk = 8388608
/** Bytes that decide whether a file may be cut behind them. */
export const windowSize = 64
/** A file may be cut where these bits of the window's fingerprint are all zero. */
export const splitMask = 0xfffff

/**
 * Finds where a file is cut into chunks, so that equal stretches of different files give equal chunks.
 *
 * A chunk ends at the first place, `minimumChunk` bytes or more behind its start, where the low 20 bits of the Rabin
 * fingerprint of the last 64 bytes are zero; at `maximumChunk` bytes; or with the file. A chunker keeps nothing from
 * one call to the next but the bytes in its buffer.
 *
 * Source: github.com/restic/chunker; its results, not its code.
 */
export interface Chunker {
  /** Memory for the file's bytes, as long as the capacity asked for: the caller reads straight into it. */
  readonly buffer: Uint8Array

  /**
   * The length of the chunk that starts at `start`, as far as `buffer[start, end)` tells.
   *
   * `examined` spares a second look: the first so many bytes of the chunk were given to an earlier call that found no
   * cut. It counts from the chunk's start, so it stays right when the caller moves the bytes.
   *
   * @returns undefined when no cut was found: the caller adds bytes, or takes the rest as the file's last chunk.
   */
  findCut(start: number, end: number, examined?: number): number | undefined
}

/** The half-open range of chunk lengths that a call of `findCut` has to test; empty when `from` is not below `to`. */
export function lengthsToTest(start: number, end: number, examined: number): { from: number; to: number } {
  return { from: Math.max(minimumChunk, examined + 1), to: Math.min(end - start, maximumChunk) + 1 }
}
