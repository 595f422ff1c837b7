import { createCompressor, longestFrame, type ZstdCompressor } from '../native/zstd.ts'
import type { BlobType } from '../repository/blob-index.ts'
import type { StreamContent } from './entry.ts'

/** Blobs from this size on are looked at before they are compressed. */
const probeFrom = 16 * 1024
const sampleLength = 1024
const samples = 4
/**
 * Chance that two bytes of the samples are equal, below which they count as noise: random bytes have 1/256 = 0.0039
 * plus what 4096 samples add; JPEG and zstd data stay below 0.0052, and anything that compresses by some percent is above.
 */
const noise = 0.0052

/**
 * Matches of 6 bytes or more: text becomes smaller by 4% in blobs of 128 to 256 KiB, for which level 3 takes those of 4, and
 * by nothing in larger ones, and a tenth of the time is saved. Machine code becomes 2% larger, so files are left as they were.
 */
const parameters = { file: { level: 3 }, dump: { level: 3, minMatch: 6 } } as const

/** Of this thread, made when they are first needed. */
const compressors: { file?: ZstdCompressor; dump?: ZstdCompressor } = {}
let frame = Buffer.alloc(0)

/**
 * The zstd frame of a blob (level 3, content size, no checksum), valid until the next call in this thread; undefined for
 * data that it would not make smaller.
 *
 * Trees are always compressed: restic's prune takes raw ones for those of an old format and packs them again.
 */
export function compressBlob(
  type: BlobType,
  plain: Uint8Array,
  cut: NonNullable<StreamContent['cut']> = 'file',
): Uint8Array | undefined {
  if (type === 'data' && plain.length >= probeFrom && looksLikeNoise(plain)) return undefined
  const compressor = (compressors[cut] ??= createCompressor(parameters[cut]))
  const longest = longestFrame(plain.length)
  // room for any frame, because zstd is slower where it has to look how much is left
  if (frame.length < longest) frame = Buffer.from(new ArrayBuffer(longest + (longest >> 1)))
  const length = compressor.compress(plain, frame)!
  return type === 'tree' || length < plain.length ? frame.subarray(0, length) : undefined
}

const histogram = new Uint32Array(256)

function looksLikeNoise(plain: Uint8Array): boolean {
  histogram.fill(0)
  const step = Math.floor((plain.length - sampleLength) / (samples - 1))
  for (let sample = 0; sample < samples; sample++) {
    const from = sample * step
    for (let at = from; at < from + sampleLength; at++) histogram[plain[at]!]!++
  }
  let pairs = 0
  for (const count of histogram) pairs += count * (count - 1)
  const total = samples * sampleLength
  return pairs / (total * (total - 1)) < noise
}
