import { closeSync, constants, fsyncSync, openSync } from 'node:fs'

import { textOf } from '#base'
import { canSyncFilesystem, statusOf } from '../filesystem/descriptor.ts'
import { Directory } from '../filesystem/directory.ts'
import { UnsetNotes } from './finding.ts'
import type { SettleJob, SettleResult } from './job.ts'
import { setMetadata } from './metadata.ts'
import { readRecords } from './node-record.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

export function settle(job: SettleJob): SettleResult {
  const failed: { file: number; text: string }[] = []
  const notes = new UnsetNotes()
  for (const [file, record] of readRecords(job.records)) {
    const { inode, ctimeNs } = job.identities[file]!
    try {
      const directory = Directory.borrow(job.folders[file]!)
      if (record.type !== 'dir' && record.type !== 'file') {
        const status = directory.status(record.name)
        if (status.type !== record.type || status.inode !== inode) throw new Error(exchanged)
        setMetadata({ directory, name: record.name }, record, (what, code) => notes.add(what, code, file))
        continue
      }
      const fd = openSync(directory.pathOf(record.name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      try {
        const status = statusOf(fd)
        const same = status.type === record.type && status.inode === inode
        if (!same || (ctimeNs !== 0n && status.ctimeNs !== ctimeNs)) throw new Error(exchanged)
        setMetadata(fd, record, (what, code) => notes.add(what, code, file))
        if (!canSyncFilesystem()) fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    } catch (thrown) {
      failed.push({ file, text: textOf(thrown) })
    }
  }
  return { failed, unset: notes.list() }
}

const exchanged = 'somebody changed or exchanged it while it was restored'
