import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { cutAll } from './cut-all.ts'
import { ScalarChunker } from './scalar-chunker.ts'

/** How the fixture describes the bytes of a file. */
interface Input {
  readonly name: string
  readonly kind?: 'fill' | 'sha-stream' | 'repeat' | 'lines'
  readonly parts?: readonly Input[]
  readonly length?: number
  readonly byte?: number
  readonly seed?: string
  readonly skip?: number
  readonly hex?: string
}

interface Expected {
  readonly input: string
  readonly size: number
  readonly sha256: string
  readonly chunk_lengths: readonly number[]
  readonly chunk_sha256?: readonly string[]
  readonly chunk_ids_sha256: string
}

interface Vectors {
  readonly inputs: readonly Input[]
  readonly polynomials: readonly { readonly polynomial: string; readonly files: readonly Expected[] }[]
}

/** Of the largest input only so much is made, as making it takes ten times as long as cutting it. */
const largestInput = 25165825
const prefixOfLarger = 6291456

const vectors = readVectors()
const streams = new Map<string, Buffer>()

describe('files are cut as restic cuts them', () => {
  for (const [number, input] of vectors.inputs.entries()) {
    const expected = vectors.polynomials.map(({ polynomial, files }) => ({
      polynomial: BigInt(`0x${polynomial}`),
      file: files.find((file) => file.input === input.name)!,
    }))
    const isWhole = expected[0]!.file.size <= largestInput
    test(isWhole ? input.name : `the beginning of ${input.name}`, () => {
      const bytes = isWhole ? bytesOf(input) : bytesOf({ ...input, length: prefixOfLarger })
      if (isWhole) assert.equal(hash('sha256', bytes), expected[0]!.file.sha256)
      for (const [index, { polynomial, file }] of expected.entries()) {
        const lengths = cutAll(polynomial, bytes)
        // Half of the pairs by turns, as the scalar chunker would take most of the test's time.
        if ((index + number) % 2 === 0) assert.deepEqual(cutAll(polynomial, bytes, createScalar), lengths)
        if (isWhole) assertChunks(bytes, lengths, file)
        else assert.deepEqual(lengths.slice(0, -1), file.chunk_lengths.slice(0, lengths.length - 1))
      }
    })
  }
})

test('zeros are cut at exactly the minimum, by every polynomial', () => {
  for (const { polynomial } of vectors.polynomials) {
    for (const create of [undefined, createScalar]) {
      assert.deepEqual(cutAll(BigInt(`0x${polynomial}`), new Uint8Array(1572869), create), [524288, 524288, 524288, 5])
    }
  }
})

function assertChunks(bytes: Uint8Array, lengths: readonly number[], file: Expected): void {
  assert.deepEqual(lengths, file.chunk_lengths)
  let start = 0
  const ids = lengths.map((length) => hash('sha256', bytes.subarray(start, (start += length))))
  assert.deepEqual(ids, file.chunk_sha256)
  assert.equal(hash('sha256', ids.join('\n')), file.chunk_ids_sha256)
}

function createScalar(polynomial: bigint, capacity: number): ScalarChunker {
  return new ScalarChunker(polynomial, capacity)
}

function bytesOf(input: Input): Buffer {
  if (input.parts) return Buffer.concat(input.parts.map((part) => bytesOf(part)))
  const length = input.length!
  switch (input.kind) {
    case 'fill':
      return Buffer.alloc(length, input.byte)
    case 'repeat':
      return Buffer.alloc(length, input.hex, 'hex')
    case 'lines':
      return linesOf(length)
    default:
      return shaStream(input.seed!, (input.skip ?? 0) + length).subarray(input.skip)
  }
}

/** The lines `line 0`, `line 1` and so on. */
function linesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0, line = 0; at < length; line++) at += bytes.write(`line ${line}\n`, at)
  return bytes
}

/** Blocks SHA-256(seed, number of the block as big-endian u64), one after the other. */
function shaStream(seed: string, length: number): Buffer {
  const made = streams.get(seed)
  if (made && made.length >= length) return made.subarray(0, length)
  const stream = Buffer.alloc(Math.ceil(length / 32) * 32)
  const message = Buffer.concat([Buffer.from(seed), Buffer.alloc(8)])
  for (let block = 0; block * 32 < length; block++) {
    message.writeUInt32BE(block, message.length - 4)
    // Text of one character a byte, as a buffer for each block takes three times as long.
    stream.write(hash('sha256', message, 'binary'), block * 32, 'binary')
  }
  streams.set(seed, stream)
  return stream.subarray(0, length)
}

function readVectors(): Vectors {
  const path = new URL('../../../tests/fixtures/vectors/chunker.json', import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8')) as Vectors
}
