import type { BlobLocation } from '../repository/blob-index.ts'

/** Bytes between two blobs that are rather read than skipped with another request. */
const largestGap = 2 ** 20

export interface RangeLimits {
  /** Bytes of a range, unless one blob alone is longer. */
  readonly bytes: number
  /** Blobs of a range; copies of one place count. */
  readonly blobs: number
}

/**
 * Cuts blobs of one pack, sorted by offset, into runs that are loaded with one request each. No byte is loaded twice,
 * unless blobs overlap, as they do in no sound pack.
 */
export function* cutRanges<Blob extends BlobLocation>(
  sorted: readonly Blob[],
  limits: RangeLimits,
): Generator<readonly Blob[], void, void> {
  let first = 0
  for (let next = 1; next <= sorted.length; next++) {
    if (next < sorted.length && continues(sorted, first, next, limits)) continue
    yield sorted.slice(first, next)
    first = next
  }
}

function continues(sorted: readonly BlobLocation[], first: number, next: number, limits: RangeLimits): boolean {
  const [start, last, blob] = [sorted[first]!.offset, sorted[next - 1]!, sorted[next]!]
  if (blob.offset === last.offset && blob.length === last.length) return true
  const gap = blob.offset - (last.offset + last.length)
  if (gap < 0 || gap > largestGap) return false
  return next - first < limits.blobs && blob.offset + blob.length - start <= limits.bytes
}
