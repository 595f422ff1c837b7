import { systemCode } from '#base'
import { sha256Hex } from '../crypto/hash.ts'
import type { Directory } from '../filesystem/directory.ts'
import type { Status } from '../filesystem/status.ts'
import { bufferOf, type NodeRecord } from './node-record.ts'

/** What has the name now. Where nobody can tell, creating the entry will say what is wrong. */
export function look(directory: Directory, name: Uint8Array): Status | undefined {
  try {
    return directory.findStatus(name)
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    return undefined
  }
}

/** Whether an entry that is no file is the one of the snapshot already, but for its metadata. */
export function isSame(directory: Directory, record: NodeRecord, found: Status): boolean {
  if (found.type !== record.type) return false
  try {
    if (record.type === 'symlink') return Buffer.compare(directory.readLink(record.name), record.linkTarget) === 0
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    return false
  }
  return record.type === 'fifo' || found.device === record.device
}

/**
 * Equal for names of one file. The content is part of it, because a tree that somebody made can claim one inode for two
 * files.
 */
export function identityOf(record: NodeRecord): string {
  const content = Buffer.concat([bufferOf(record.content), bufferOf(record.linkTarget)])
  return `${record.type} ${record.deviceId} ${record.inode} ${record.device} ${sha256Hex(content)}`
}
