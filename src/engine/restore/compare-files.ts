import { closeSync, readSync } from 'node:fs'

import { sha256 } from '../crypto/hash.ts'
import { statusOf } from '../filesystem/descriptor.ts'
import { Directory } from '../filesystem/directory.ts'
import type { CompareJob, CompareResult, FileIdentity } from './job.ts'
import { readRecords, type NodeRecord } from './node-record.ts'

export function compareFiles(job: CompareJob): CompareResult {
  const directory = Directory.borrow(job.folder)
  const equal: (FileIdentity | undefined)[] = []
  let at = 0
  for (const [, record] of readRecords(job.records)) {
    const blobs = record.content.length / 32
    equal.push(compareFile(directory, record, job.lengths.subarray(at, at + blobs)))
    at += blobs
  }
  return { equal }
}

function compareFile(directory: Directory, record: NodeRecord, lengths: Uint32Array): FileIdentity | undefined {
  let fd: number
  try {
    fd = directory.openFile(record.name)
  } catch {
    return undefined // because a file that cannot be read has to be written anew, and writing says what is wrong
  }
  try {
    const { type, size, inode, ctimeNs, links } = statusOf(fd)
    const same = type === 'file' && size === record.size && hasContent(fd, record.content, lengths)
    return same ? { inode, ctimeNs, links } : undefined
  } catch {
    return undefined // for the same reason
  } finally {
    closeSync(fd)
  }
}

let buffer = Buffer.alloc(2 ** 20)

function hasContent(fd: number, ids: Uint8Array, lengths: Uint32Array): boolean {
  for (const [blob, length] of lengths.entries()) {
    if (buffer.length < length) buffer = Buffer.alloc(length)
    for (let filled = 0; filled < length;) {
      const read = readSync(fd, buffer, filled, length - filled, null)
      if (read === 0) return false
      filled += read
    }
    if (Buffer.compare(sha256(buffer.subarray(0, length)), ids.subarray(blob * 32, blob * 32 + 32)) !== 0) return false
  }
  return true
}
