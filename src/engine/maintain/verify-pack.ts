import { AppError, textOf } from '#base'
import type { ByteRange } from '../backend/backend.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { sealOverhead, type Sealer } from '../crypto/seal.ts'
import type { IndexedBlob } from '../format/index-file.ts'
import { decodePackHeader } from '../format/pack-header.ts'
import { decodeTree } from '../format/tree-node.ts'
import { BlobDamage, BlobMemory, largestBlob, openBlob, plainLengthOf } from '../repository/open-blob.ts'
import { endOfBatch, openTogether } from '../repository/open-together.ts'
import { examineTree, type KnownBlobs, type TreeFault } from './examine-tree.ts'

/** A pack, to be judged. */
export interface PackJob {
  /** Hex. */
  readonly id: string
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /** Hex SHA-256 of the plain header that the index asks for; undefined when it asks for none that can be. */
  readonly headerHash?: string
  /**
   * What the index says. When it is not given, a pack that is not wholly right is only said to be so: the blobs of its
   * own header are no measure then.
   */
  readonly blobs?: readonly IndexedBlob[]
  /** Of the blobs of its own header, only those that begin here; its name is judged with the first byte. Absent: all. */
  readonly part?: ByteRange
  /** Whether to look into the trees. */
  readonly trees: boolean
}

export interface BlobFault {
  readonly blob: IndexedBlob
  readonly text: string
}

/** What one tree blob says. */
export interface TreeReport {
  readonly id: string
  readonly subtrees: readonly string[]
  readonly faults: readonly TreeFault[]
}

export interface PackReport {
  /** The job's bytes, so that their memory can be used again. */
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /** Pack, header and blobs are all right. */
  readonly isSound: boolean
  /** What is wrong with the pack besides its blobs. */
  readonly nameFault?: string
  readonly headerFault?: string
  readonly blobFaults: readonly BlobFault[]
  readonly trees: readonly TreeReport[]
}

export interface Verification {
  readonly sealer: Sealer
  readonly blobs: KnownBlobs
  /** Ids of data blobs that cannot be read. */
  readonly lost: ReadonlySet<string>
}

/** Judges a pack by its name, its header and each of its blobs. Works without waiting, for worker threads. */
export function verifyPack(job: PackJob, verification: Verification): PackReport {
  const { id, bytes, blobs: indexed, part } = job
  const isNamed = (part && part.start > 0) || sha256Hex(bytes) === id
  const nameFault = isNamed ? undefined : 'its bytes do not hash to its name'
  const header = openHeader(bytes, verification.sealer, job)
  const headerFault = 'fault' in header ? header.fault : undefined
  const isSuspect = nameFault !== undefined || headerFault !== undefined
  const unsound = { bytes, isSound: false, blobFaults: [], trees: [] }
  if (isSuspect && indexed === undefined) return unsound
  const blobFaults: BlobFault[] = []
  const trees: TreeReport[] = []
  const blobs = indexed ?? ('blobs' in header ? header.blobs : [])
  for (const [blob, opened] of openAll(blobs, bytes, verification.sealer)) {
    if (typeof opened === 'string') blobFaults.push({ blob, text: opened })
    else if (blob.type === 'tree' && job.trees) trees.push(readTree(blob.id, opened, verification))
  }
  if (blobFaults.length > 0 && indexed === undefined) return unsound
  const isSound = !isSuspect && blobFaults.length === 0
  return { bytes, isSound, ...(nameFault && { nameFault }), ...(headerFault && { headerFault }), blobFaults, trees }
}

/** What the reports on the parts of one pack say together. */
export function joinReports(reports: readonly PackReport[]): PackReport {
  return {
    ...reports[0]!,
    isSound: reports.every(({ isSound }) => isSound),
    blobFaults: reports.flatMap(({ blobFaults }) => blobFaults),
    trees: reports.flatMap(({ trees }) => trees),
  }
}

const lengthWord = 4

function openHeader(
  bytes: Uint8Array,
  sealer: Sealer,
  { headerHash, part }: Pick<PackJob, 'headerHash' | 'part'>,
): { readonly fault: string } | { readonly blobs: readonly IndexedBlob[] } {
  try {
    const end = bytes.length - lengthWord
    const length = end < 0 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true)
    if (length < sealOverhead || length > end) return { fault: 'the length of its header is not one that it can have' }
    const plain = sealer.unseal(bytes.subarray(end - length, end))
    const blobs = decodePackHeader(plain, part)
    if (sha256Hex(plain) === headerHash) return { blobs }
    return { fault: 'its header says something else than the index' }
  } catch (thrown) {
    return { fault: `its header cannot be read: ${reasonOf(thrown)}` }
  }
}

/** Of this thread. */
const memory = new BlobMemory()

/** Each blob with its plain bytes, there until the next one is asked for; or with what is wrong. */
function* openAll(
  blobs: readonly IndexedBlob[],
  bytes: Uint8Array,
  sealer: Sealer,
): Generator<[IndexedBlob, Uint8Array | string], void, void> {
  for (let first = 0; first < blobs.length;) {
    const end = endOfBatch(blobs, first)
    const batch = blobs.slice(first, end)
    const stored = batch.map((blob) => ({ ...blob, sealed: bytes.subarray(blob.offset, blob.offset + blob.length) }))
    const plain = batch.length > 1 ? openTogether(sealer, stored, memory) : []
    // what was opened together is still to be handed out, so that its memory cannot be used
    const free = plain.length === 0 ? memory : undefined
    for (const [position, blob] of batch.entries()) yield [blob, plain[position] ?? open(blob, bytes, sealer, free)]
    first = end
  }
}

/** @returns the plain bytes, or what is wrong. */
function open(
  blob: IndexedBlob,
  bytes: Uint8Array,
  sealer: Sealer,
  memory: BlobMemory | undefined,
): Uint8Array | string {
  const { id, type, offset, length, uncompressedLength } = blob
  if (offset + length > bytes.length) return 'it would lie beyond the end of the pack'
  if (plainLengthOf(blob) > largestBlob[type]) return 'the index says that it is larger than any blob'
  const sealed = bytes.subarray(offset, offset + length)
  try {
    return openBlob(sealer, id, sealed, uncompressedLength, memory)
  } catch (thrown) {
    const plain = thrown instanceof BlobDamage ? openOtherwise(id, sealer.unseal(sealed)) : undefined
    if (plain === undefined) return reasonOf(thrown)
    const claim = uncompressedLength === 0 ? 'is not compressed' : `has ${uncompressedLength} bytes`
    return `its ${plain.length} bytes are right, but the index says that it ${claim}`
  }
}

/** The right bytes, when only what the index says of their length or compression is wrong. */
function openOtherwise(id: string, payload: Uint8Array): Uint8Array | undefined {
  if (sha256Hex(payload) === id) return payload
  const { zstdDecompressSync } = process.getBuiltinModule('node:zlib') // seldom, see `decompress`
  try {
    const plain = zstdDecompressSync(payload, { maxOutputLength: largestBlob.data })
    return sha256Hex(plain) === id ? plain : undefined
  } catch {
    return undefined // because what it is instead does not matter
  }
}

function readTree(id: string, plain: Uint8Array, { blobs, lost }: Verification): TreeReport {
  try {
    const nodes = decodeTree(plain)
    const subtrees = new Set<string>()
    for (const { subtree } of nodes) if (subtree !== undefined) subtrees.add(subtree)
    return { id, subtrees: [...subtrees], faults: examineTree(nodes, plain, blobs, lost) }
  } catch (thrown) {
    return { id, subtrees: [], faults: [{ severity: 'damage', text: `cannot be read: ${reasonOf(thrown)}` }] }
  }
}

/** @throws what is neither damage nor an error of ours: a bug. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof BlobDamage) return thrown.message
  if (!(thrown instanceof AppError)) throw thrown
  if (thrown.code === 'crypto.damaged') return `its sealed bytes cannot be opened: ${thrown.facts['reason']}`
  return 'reason' in thrown.facts ? String(thrown.facts['reason']) : textOf(thrown)
}
