import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { beginWriteOut, syncFilesystem } from './descriptor.ts'
import { findLibc, linux } from './libc.ts'

const scratch = mkdtempSync(join(tmpdir(), 'bewaar-descriptor-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

test('what the disk was let begin with stays what it was, and any stretch of a file can be named', () => {
  const path = join(scratch, 'file')
  const bytes = Buffer.alloc(300_000, 'bytes of a file ')
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, bytes, 0, bytes.length, 5_000_000_000)
    beginWriteOut(fd, 5_000_000_000, bytes.length)
    beginWriteOut(fd, 0, 1)
    syncFilesystem(fd)
    assert.equal(findLibc()?.sync_file_range(fd, 5_000_000_000n, 300_000n, linux.syncFileRangeWrite) ?? 0, 0)
  } finally {
    closeSync(fd)
  }
  const again = openSync(path, 'r')
  try {
    const end = Buffer.alloc(bytes.length)
    assert.equal(readSync(again, end, 0, end.length, 5_000_000_000), bytes.length)
    assert.ok(end.equals(bytes))
  } finally {
    closeSync(again)
  }
})
