import { mapInOrder } from '#base'
import type { FileStat } from '../backend/backend.ts'
import { describeFile } from '../backend/file-ref.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { sealOverhead } from '../crypto/seal.ts'
import type { IndexedBlob } from '../format/index-file.ts'
import { type IndexRows, packRowsOf, type PackRows } from '../format/index-rows.ts'
import { encodePackHeader, headerSize, sealedHeaderSize } from '../format/pack-header.ts'
import { BlobIndex } from '../repository/blob-index.ts'
import type { Repository } from '../repository/repository.ts'
import type { Findings } from './finding.ts'
import type { PackRequest } from './pack-verifier.ts'

/** What the index files say of one pack, and what is in its place. */
export interface KnownPack {
  readonly id: string
  /** Bytes that the file must have. */
  readonly size: number
  /** Bytes that it has; undefined when it is not there. */
  fileSize?: number
  /** Hex SHA-256 of the plain header that it must have; undefined when the index describes no pack that can be. */
  headerHash: string | undefined
  readonly holds: 'data' | 'tree' | 'both'
  /** Hex id of the index file that names it. */
  readonly indexId: string
}

export interface ReviewedIndex {
  readonly index: BlobIndex
  readonly packs: ReadonlyMap<string, KnownPack>
}

/** Reads all index files into an index of its own, judging each pack as they describe it. */
export async function reviewIndex(
  repository: Repository,
  findings: Findings,
  signal?: AbortSignal,
): Promise<ReviewedIndex> {
  const index = new BlobIndex()
  const packs = new Map<string, KnownPack>()
  const { backend } = repository
  const load = async ({ name }: FileStat): Promise<{ id: string; rows?: IndexRows }> => {
    try {
      return { id: name, rows: await repository.loadIndexRows(name, signal) }
    } catch (thrown) {
      findings.take(describeFile({ type: 'index', name }), thrown, signal)
      return { id: name }
    }
  }
  for await (const file of mapInOrder(backend.list('index', signal), load, backend.connections)) {
    if (!file.rows) continue
    index.insertAll(file.rows)
    for (const pack of packRowsOf(file.rows)) {
      const known = describePack(pack, file.id, repository.config.version, findings)
      const before = packs.get(pack.id)
      if (before) reviewRepeated(before, known, findings)
      else packs.set(pack.id, known)
    }
  }
  return { index, packs }
}

function describePack(pack: PackRows, indexId: string, version: 1 | 2, findings: Findings): KnownPack {
  const { id } = pack
  const subject = describeFile({ type: 'pack', name: id })
  const { faults, size, headerHash, hasTrees, hasData, isCompressed } = describeSound(pack) ?? describeBlobs(pack)
  for (const fault of faults) findings.add('warning', subject, fault)
  if (version === 1 && isCompressed) {
    findings.add('warning', subject, 'holds compressed blobs, which version 1 of the format does not know')
  }
  if (hasTrees && hasData) findings.add('notice', subject, 'holds both trees and data; the next prune sorts them out')
  return { id, size, headerHash, holds: hasTrees && hasData ? 'both' : hasTrees ? 'tree' : 'data', indexId }
}

interface PackDescription extends Pick<KnownPack, 'size' | 'headerHash'> {
  readonly faults: readonly string[]
  readonly hasTrees: boolean
  readonly hasData: boolean
  readonly isCompressed: boolean
}

/** Undefined for one that is not wholly right. */
function describeSound(pack: PackRows): PackDescription | undefined {
  const found = pack.gapless()
  if (found === undefined || found.length === 0 || found.shortest < sealOverhead) return undefined
  const { header, length, trees, data, compressed } = found
  const size = length + sealedHeaderSize(header.length)
  const kinds = { hasTrees: trees > 0, hasData: data > 0, isCompressed: compressed > 0 }
  return { faults: [], size, headerHash: sha256Hex(header), ...kinds }
}

function describeBlobs(pack: PackRows): PackDescription {
  const blobs = pack.blobs().sort((a, b) => a.offset - b.offset)
  const faults = [...faultsOfLayout(blobs)]
  return {
    faults,
    size: blobs.reduce((sum, blob) => sum + blob.length, 0) + headerSize(blobs),
    headerHash: faults.length === 0 ? sha256Hex(encodePackHeader(blobs)) : undefined,
    hasTrees: blobs.some((blob) => blob.type === 'tree'),
    hasData: blobs.some((blob) => blob.type === 'data'),
    isCompressed: blobs.some((blob) => blob.uncompressedLength > 0),
  }
}

/** @param blobs - sorted by offset. */
function* faultsOfLayout(blobs: readonly IndexedBlob[]): Generator<string, void, void> {
  if (blobs.length === 0) yield 'holds no blob, as its index says'
  let end = 0
  let hasGap = false
  let overlaps = false
  for (const blob of blobs) {
    if (blob.offset > end) hasGap = true
    if (blob.offset < end) overlaps = true
    end = Math.max(end, blob.offset + blob.length)
  }
  if (hasGap) yield 'has gaps between its blobs, as its index says'
  if (overlaps) yield 'has blobs that overlap, as its index says'
  if (blobs.some((blob) => blob.length < sealOverhead)) yield 'has a blob that is shorter than any, as its index says'
}

function reviewRepeated(before: KnownPack, again: KnownPack, findings: Findings): void {
  const subject = describeFile({ type: 'pack', name: before.id })
  const where = `index ${before.indexId.slice(0, 10)} and index ${again.indexId.slice(0, 10)}`
  if (before.headerHash !== undefined && before.headerHash === again.headerHash) {
    findings.add('notice', subject, `is named by ${where}; once is enough`)
  } else {
    findings.add('warning', subject, `is described in two ways, by ${where}`)
    before.headerHash = undefined
  }
}

/** Compares the packs that are there with those that the index names. */
export async function reviewPackFiles(
  repository: Repository,
  packs: ReadonlyMap<string, KnownPack>,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  for await (const file of repository.backend.list('pack', signal)) {
    const subject = describeFile(file)
    const pack = packs.get(file.name)
    if (!pack) {
      findings.add('notice', subject, 'is named by no index: a run stores it just now, or was interrupted')
      continue
    }
    pack.fileSize = file.size
    if (file.size !== pack.size) {
      findings.add('warning', subject, `has ${file.size} bytes, and the index asks for ${pack.size}`)
    }
  }
}

/** Whether the index describes a pack that can be, of just the size that is there. */
export function isPlausible(pack: KnownPack): boolean {
  return pack.headerHash !== undefined && pack.fileSize === pack.size
}

/** Asks for a pack that is there to be judged by its own header, which must be the one that the index asks for. */
export function requestOf({ id, fileSize, headerHash }: KnownPack): Omit<PackRequest, 'trees'> {
  return { id, size: fileSize!, ...(headerHash && { headerHash }) }
}

/** What the index says of some packs; by a walk over all of it, because it is not ordered by pack. */
export function blobsOf(index: BlobIndex, packIds: ReadonlySet<string>): Map<string, IndexedBlob[]> {
  const blobs = new Map<string, IndexedBlob[]>()
  for (const { type, id, place } of index.entries()) {
    if (!packIds.has(place.packId)) continue
    const { packId, offset, length, uncompressedLength } = place
    const known = blobs.get(packId)
    const blob = { id, type, offset, length, uncompressedLength }
    if (known) known.push(blob)
    else blobs.set(packId, [blob])
  }
  return blobs
}
