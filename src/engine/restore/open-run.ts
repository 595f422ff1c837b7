import type { Sealer } from '../crypto/seal.ts'
import type { BlobType } from '../repository/blob-index.ts'
import { BlobMemory, largestBlob, openBlob } from '../repository/open-blob.ts'
import { endOfBatch, openTogether, type StoredBlob } from '../repository/open-together.ts'
import type { SealedRun } from './job.ts'

/**
 * The plain bytes of each blob of a run in order, checked against its id and there until the next one is asked for; for one
 * that is not what its id says, the error that says why.
 *
 * Memory: one large blob, or a mebibyte of small ones.
 */
export function* openRun(run: SealedRun, type: BlobType, sealer: Sealer): Generator<Uint8Array | Error, void, void> {
  const blobs = blobsOf(run)
  for (let first = 0; first < blobs.length;) {
    const end = endOfBatch(blobs, first)
    const batch = blobs.slice(first, end)
    const plain = batch.length > 1 ? openTogether(sealer, batch, memory) : []
    // what was opened together is still to be handed out, so that its memory cannot be used
    const free = plain.length === 0 ? memory : undefined
    for (const [position, blob] of batch.entries()) yield plain[position] ?? openAlone(blob, type, sealer, free)
    first = end
  }
}

function blobsOf({ bytes, ids, places }: SealedRun): StoredBlob[] {
  return Array.from({ length: places.length / 3 }, (_, blob) => {
    const start = places[blob * 3]!
    return {
      id: ids.slice(blob * 64, blob * 64 + 64),
      sealed: bytes.subarray(start, start + places[blob * 3 + 1]!),
      uncompressedLength: places[blob * 3 + 2]!,
    }
  })
}

/** Of this thread. */
const memory = new BlobMemory()

function openAlone(
  { id, sealed, uncompressedLength }: StoredBlob,
  type: BlobType,
  sealer: Sealer,
  memory: BlobMemory | undefined,
): Uint8Array | Error {
  if (uncompressedLength > largestBlob[type]) {
    return new Error(`an index says that it has ${uncompressedLength} bytes, more than any blob`)
  }
  try {
    return openBlob(sealer, id, sealed, uncompressedLength, memory)
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  }
}
