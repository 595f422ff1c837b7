import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'

import { collect, randomBytes } from '#base'
import { compressStream } from './compress.ts'

test('what is compressed is all of the stream, also of what does not get smaller', async () => {
  const pieces = Array.from({ length: 200 }, () => randomBytes(65536))
  async function* stream(): AsyncGenerator<Uint8Array, void, void> {
    yield* pieces
  }
  assert.ok(zstdDecompressSync(await collect(compressStream(stream()))).equals(Buffer.concat(pieces)))
})

test('a stream that fails ends the compressed one with the same error', async () => {
  async function* stream(): AsyncGenerator<Uint8Array, void, void> {
    yield randomBytes(100_000)
    throw new Error('the vault is gone')
  }
  await assert.rejects(collect(compressStream(stream())), /the vault is gone/)
})
