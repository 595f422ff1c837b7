import { type Chunker, type CutRule, fileCut } from './chunker.ts'
import { createChunker } from './simd-chunker.ts'

/** The lengths of all chunks of a file with these bytes, in order; for tests and measurements. */
export function cutAll(
  polynomial: bigint,
  bytes: Uint8Array,
  create: (polynomial: bigint, capacity: number, rule: CutRule) => Chunker = createChunker,
  rule: CutRule = fileCut,
): number[] {
  const chunker = create(polynomial, bytes.length, rule)
  chunker.buffer.set(bytes)
  const lengths: number[] = []
  for (let start = 0; start < bytes.length; start += lengths.at(-1)!) {
    lengths.push(chunker.findCut(start, bytes.length) ?? bytes.length - start)
  }
  return lengths
}
