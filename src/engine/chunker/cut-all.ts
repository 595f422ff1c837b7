import type { Chunker } from './chunker.ts'
import { createChunker } from './simd-chunker.ts'

/** The lengths of all chunks of a file with these bytes, in order; for tests and measurements. */
export function cutAll(
  polynomial: bigint,
  bytes: Uint8Array,
  create: (polynomial: bigint, capacity: number) => Chunker = createChunker,
): number[] {
  const chunker = create(polynomial, bytes.length)
  chunker.buffer.set(bytes)
  const lengths: number[] = []
  for (let start = 0; start < bytes.length; start += lengths.at(-1)!) {
    lengths.push(chunker.findCut(start, bytes.length) ?? bytes.length - start)
  }
  return lengths
}
