/** Bytes: of what is cut as a file, no chunk is shorter, but for the last one. */
export const minimumChunk = 524288
/** Bytes: no chunk of any rule is longer. */
export const maximumChunk = 8388608
/** Bytes that decide whether a file may be cut behind them. */
export const windowSize = 64

/** What decides where bytes may be cut. A repository may hold chunks of several rules: only what is equal is shared. */
export interface CutRule {
  /** Bytes: no chunk is shorter, but for the last one of a file. */
  readonly minimum: number
  /** Bytes: no chunk is longer. */
  readonly maximum: number
  /** A cut is where so many low bits of the window's fingerprint are zero: 13 to 20. The mean is 2 to this power. */
  readonly zeroBits: number
}

/** As restic cuts files: 1.5 MiB in the mean. */
export const fileCut: CutRule = { minimum: minimumChunk, maximum: maximumChunk, zeroBits: 20 }
/** Finer, for dumps, where changed rows lie scattered: 256 KiB in the mean. See decision 0012. */
export const dumpCut: CutRule = { minimum: 131072, maximum: 1048576, zeroBits: 17 }

/**
 * Finds where a file is cut into chunks, so that equal stretches of different files give equal chunks.
 *
 * A chunk ends at the first place, the rule's `minimum` bytes or more behind its start, where the low `zeroBits` bits of
 * the Rabin fingerprint of the last 64 bytes are zero; at `maximum` bytes; or with the file. A chunker keeps nothing
 * from one call to the next but the bytes in its buffer.
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
export function lengthsToTest(
  { minimum, maximum }: CutRule,
  start: number,
  end: number,
  examined: number,
): { from: number; to: number } {
  return { from: Math.max(minimum, examined + 1), to: Math.min(end - start, maximum) + 1 }
}
