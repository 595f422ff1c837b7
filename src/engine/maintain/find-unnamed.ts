import { mapInOrder } from '#base'
import type { Backend, FileStat } from '../backend/backend.ts'
import { isCached } from '../backend/cached.ts'
import { loadAll } from '../backend/load-all.ts'
import { Sealer, sealOverhead } from '../crypto/seal.ts'
import type { IndexedBlob } from '../format/index-file.ts'
import { decodePackHeader, headerSize } from '../format/pack-header.ts'
import type { Repository } from '../repository/repository.ts'
import { isLoss, toRequest } from './copied-packs.ts'
import { PackVerifier } from './pack-verifier.ts'

/** Bytes at the end of a pack that hold the whole header of most. */
const usualTail = 16 * 1024
const lengthWord = 4

export interface UnnamedPack {
  /** Hex. */
  readonly id: string
  readonly size: number
  readonly blobs: readonly IndexedBlob[]
}

/**
 * The packs of a repository that no index names, as a writer leaves them that was killed, and that are whole: each was read
 * to its end. Only those with a blob that `isWanted` and that no other pack of the repository has. The index must be loaded.
 *
 * Source: restic-format §6, the header at the end of a pack.
 */
export async function findUnnamedPacks(
  repository: Repository,
  isWanted: (blob: IndexedBlob) => boolean,
  threads: number,
  signal: AbortSignal,
): Promise<UnnamedPack[]> {
  const { backend, index, key } = repository
  const place = isCached(backend) ? backend.uncached : backend
  const named = new Set(index.packs)
  const sealer = new Sealer(key)
  const unnamed = async function* (): AsyncGenerator<FileStat, void, void> {
    for await (const file of place.list('pack', signal)) if (!named.has(file.name)) yield file
  }
  const look = async (file: FileStat): Promise<UnnamedPack | undefined> => {
    const blobs = await loadHeader(place, file, sealer, signal)
    const isUseful = blobs?.some((blob) => isWanted(blob) && !index.has(blob.type, blob.id))
    return blobs && isUseful ? { id: file.name, size: file.size, blobs } : undefined
  }
  const found: UnnamedPack[] = []
  for await (const pack of mapInOrder(unnamed(), look, backend.connections)) if (pack) found.push(pack)
  if (found.length === 0) return []
  const sound = new Set<string>()
  await using verifier = new PackVerifier(place, key, index, threads)
  await verifier.verify(
    found.map(toRequest),
    ({ id }, result) => {
      if ('thrown' in result && !isLoss(result.thrown)) throw result.thrown
      if ('isSound' in result && result.isSound) sound.add(id)
    },
    signal,
  )
  return found.filter(({ id }) => sound.has(id))
}

/** Undefined for what is no whole pack. */
async function loadHeader(
  place: Backend,
  { name, size }: FileStat,
  sealer: Sealer,
  signal: AbortSignal,
): Promise<IndexedBlob[] | undefined> {
  const loadEnd = (length: number): Promise<Uint8Array> =>
    loadAll(place, { type: 'pack', name }, { start: size - length, end: size }, signal)
  if (size < lengthWord + sealOverhead) return undefined
  try {
    let tail = await loadEnd(Math.min(size, usualTail))
    const length = new DataView(tail.buffer, tail.byteOffset).getUint32(tail.length - lengthWord, true) + lengthWord
    if (length > size) return undefined
    if (length > tail.length) tail = await loadEnd(length)
    const blobs = decodePackHeader(sealer.unseal(tail.subarray(tail.length - length, tail.length - lengthWord)))
    const whole = blobs.reduce((sum, blob) => sum + blob.length, headerSize(blobs))
    return whole === size ? blobs : undefined
  } catch (thrown) {
    if (!isLoss(thrown)) throw thrown
    return undefined
  }
}
