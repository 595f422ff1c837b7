import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { memoryRepository } from '#engine/testing'
import { cutAll } from '../chunker/cut-all.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { bytesOfStretch } from './limits.ts'
import { Sealing } from './sealing.ts'
import { nodeAt, Trial, trialFolder } from './trial.ts'

const megabyte = 1024 * 1024

/** Noise with a hole from 9 to 19 MB, in which no place tells where to cut. */
function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(length / 4))
  let state = seed
  for (let at = 0; at < words.length; at++) words[at] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return bytes.fill(0, 9 * megabyte, 19 * megabyte)
}

test('large files are cut as if by one thread, however many take turns and lie beside each other', async () => {
  await using folder = await trialFolder()
  await using repository = await memoryRepository()
  const files = new Map(
    [21 * megabyte + 12_345, 8 * megabyte + 1, 3 * bytesOfStretch].map((length, nth) => [
      `large-${nth}`,
      bytesOf(length, nth),
    ]),
  )
  for (const [name, bytes] of files) await writeFile(join(folder.path, name), bytes)
  const result = await new Trial(repository).backUp([{ kind: 'folder', at: 'files', path: folder.path }])
  assert.deepEqual(result.findings, [])
  for (const [name, bytes] of files) {
    let at = 0
    const expected = cutAll(repository.config.chunkerPolynomial, bytes).map((length) =>
      sha256Hex(bytes.subarray(at, (at += length))),
    )
    const node = await nodeAt(repository, result.tree, `files/${name}`)
    assert.deepEqual(node?.content, expected)
    assert.equal(node?.size, bytes.length)
  }
})

test('a large file that cannot be read is told of, and ends nothing', async () => {
  await using folder = await trialFolder()
  await using repository = await memoryRepository()
  await repository.loadIndex()
  await using sealing = new Sealing(repository, async () => {})
  const fd = openSync(folder.path, 'r')
  try {
    const { status, code } = await sealing.largeFile(fd)
    assert.deepEqual([status, code], ['failed', 'EISDIR'])
  } finally {
    closeSync(fd)
  }
  sealing.check()
  await sealing.finish()
})
