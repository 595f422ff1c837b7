/**
 * A sealing thread: owns its buffers, reads its files itself, cuts, hashes, looks up, compresses, encrypts and packs.
 * Only results, and packs that are full, leave it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

import { systemCode, textOf } from '#base'
import { minimumChunk } from '../chunker/chunker.ts'
import { createChunker } from '../chunker/simd-chunker.ts'
import { sha256 } from '../crypto/hash.ts'
import { Sealer } from '../crypto/seal.ts'
import { BlobIndex, type BlobType } from '../repository/blob-index.ts'
import { PackBuffer, type FinishedPack } from '../repository/pack-buffer.ts'
import { serveJobs, type Done } from '../threads/serve.ts'
import { compressBlob } from './compress.ts'
import { decodeFileList, type ListedFile } from './file-list.ts'
import type { FileOutcome, Rest, SealJob, SealResult, SealSetup } from './job.ts'
import { largestOwnFile } from './limits.ts'

const setup = workerData as SealSetup
const sealer = new Sealer(setup.key)
const chunker = createChunker(setup.polynomial, largestOwnFile + 1)
const slots = setup.slots.map((slot) => new Uint8Array(slot))
const recycled: ArrayBuffer[] = []
let index = new BlobIndex(setup.index)
let open: { data?: PackBuffer; tree?: PackBuffer } = {}
let full: FinishedPack[] = []
let newBlobs = 0
let newBytes = 0

serveJobs<SealJob, SealResult>((job) => {
  if ('recycled' in job) recycled.push(...job.recycled)
  switch (job.kind) {
    case 'files':
      return done({ files: decodeFileList(job.list).map(sealFile) })
    case 'chunk':
      return done({ id: storeData(slots[job.slot]!.subarray(0, job.length)) })
    case 'trees': {
      let at = 0
      for (const [nth, id] of job.ids.entries()) {
        pack('tree', id, job.bytes.subarray(at, at + job.lengths[nth]!))
        at += job.lengths[nth]!
      }
      return done({})
    }
    case 'index':
      index = new BlobIndex(job.index)
      return done({})
    case 'flush':
      return done({ rests: takeRests() })
    default:
      return job satisfies never
  }
})

function done(more: Pick<SealResult, 'files' | 'id' | 'rests'>): Done<SealResult> {
  const packs = full
  const result = { packs, newBlobs, newBytes, ...more }
  full = []
  newBlobs = 0
  newBytes = 0
  const transfer = [...packs, ...(more.rests ?? [])].map(({ bytes }) => bytes.buffer)
  return { result, transfer }
}

function sealFile(file: ListedFile): FileOutcome {
  let fd: number
  try {
    fd = openForReading(file.path)
  } catch (thrown) {
    return failed(thrown)
  }
  try {
    const size = readWhole(fd, file.size)
    const status = fstatSync(fd, { bigint: true })
    const same =
      status.ctimeNs === file.ctimeNs &&
      status.mtimeNs === file.mtimeNs &&
      status.ino === file.inode &&
      (size === file.size || file.size === 0)
    if (!same || size > largestOwnFile) return { status: 'changed', content: [], size }
    return { status: 'stored', content: storeChunks(size), size }
  } catch (thrown) {
    return failed(thrown)
  } finally {
    closeSync(fd)
  }
}

function openForReading(path: Uint8Array): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  try {
    return openSync(path as Buffer, flags | constants.O_NOATIME)
  } catch (thrown) {
    // because only the owner of a file, or root, may leave its access time alone
    if (systemCode(thrown) !== 'EPERM') throw thrown
    return openSync(path as Buffer, flags)
  }
}

function failed(thrown: unknown): FileOutcome {
  return { status: 'failed', code: systemCode(thrown) ?? 'EIO', message: textOf(thrown), content: [], size: 0 }
}

/** Reads to the end of the file, or of the buffer, into the chunker's memory. @returns bytes read. */
function readWhole(fd: number, expected: number): number {
  let size = 0
  while (size < chunker.buffer.length) {
    const read = readSync(fd, chunker.buffer, size, chunker.buffer.length - size, size)
    size += read
    // because the status taken afterwards shows whether there is more, which saves a call for each file
    if (read === 0 || (expected > 0 && size === expected)) break
  }
  return size
}

function storeChunks(size: number): string[] {
  const content: string[] = []
  for (let start = 0; start < size;) {
    const length = size - start <= minimumChunk ? size - start : (chunker.findCut(start, size) ?? size - start)
    content.push(storeData(chunker.buffer.subarray(start, start + length)))
    start += length
  }
  return content
}

function storeData(plain: Uint8Array): string {
  const idBytes = sha256(plain)
  const id = idBytes.toString('hex')
  if (index.claim('data', idBytes)) {
    newBlobs++
    newBytes += plain.length
    pack('data', id, plain)
  }
  return id
}

function pack(type: BlobType, id: string, plain: Uint8Array): void {
  const target = (open[type] ??= new PackBuffer(type, recycled.pop()))
  const packed = compressBlob(type, plain)
  target.seal(sealer, id, packed ?? plain, packed ? plain.length : 0)
  if (!target.isFull) return
  full.push(target.finish(sealer))
  delete open[type]
}

function takeRests(): Rest[] {
  const rests = Object.values(open).map((rest) => ({ type: rest.type, blobs: rest.blobs, bytes: rest.content() }))
  open = {}
  return rests
}
