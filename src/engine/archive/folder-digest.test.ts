import assert from 'node:assert/strict'
import { symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Directory } from '../filesystem/directory.ts'
import { typeInBuffer } from '../filesystem/status.ts'
import { FolderDigest } from './folder-digest.ts'
import { trialFolder } from './trial.ts'

/** The digest of one entry, made of its status as an object, and as it lies in the buffer. */
function digests(folder: string, text: string): [string, string] {
  using directory = Directory.open(folder)
  const name = Buffer.from(text)
  const digest = new FolderDigest()
  digest.add(name, directory.status(name))
  const ofStatus = Buffer.from(digest.finish(undefined)).toString('hex')
  directory.fillStatus(name)
  digest.addFromBuffer(name, typeInBuffer())
  return [ofStatus, Buffer.from(digest.finish(undefined)).toString('hex')]
}

test('the digest of a status is the same as an object and as it came from the system', async () => {
  await using source = await trialFolder()
  const [file, before, link, empty] = ['a', 'old', 'link', 'x'.repeat(255)]
  writeFileSync(join(source.path, file), 'content')
  writeFileSync(join(source.path, before), '')
  utimesSync(join(source.path, before), -1.5, -1.5)
  symlinkSync('target', join(source.path, link))
  writeFileSync(join(source.path, empty), '')
  const seen = [file, before, link, empty].map((name) => digests(source.path, name))
  seen.push(digests('/dev', 'null'), digests('/dev', 'zero'))
  for (const [ofStatus, fromBuffer] of seen) assert.equal(ofStatus, fromBuffer)
  assert.equal(new Set(seen.flat()).size, seen.length, 'no two are alike')
})
