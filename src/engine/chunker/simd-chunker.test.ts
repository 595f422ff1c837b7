import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'

import * as fc from 'fast-check'

import { type Chunker, dumpCut, maximumChunk, minimumChunk, windowSize } from './chunker.ts'
import { cutAll } from './cut-all.ts'
import { ScalarChunker } from './scalar-chunker.ts'
import { createChunker } from './simd-chunker.ts'

const polynomials = [0x2631409a417b8bn, 0x3da3358b4dc173n, 0x20000000000047n, 0x3fffffffffffe5n]
const polynomial = fc.constantFrom(...polynomials)
/** What a lane scans in one call, and all lanes together. */
const stride = 4160
const block = 16 * stride

const kinds = [
  { name: 'SIMD', create: createChunker },
  {
    name: 'scalar',
    create: (...args: ConstructorParameters<typeof ScalarChunker>): Chunker => new ScalarChunker(...args),
  },
]

for (const { name, create } of kinds) {
  describe(`the ${name} chunker`, () => {
    test('has a buffer as long as asked for, of its own', () => {
      for (const capacity of [0, 1, minimumChunk, 1 << 20]) {
        const [one, other] = [create(polynomials[0]!, capacity), create(polynomials[0]!, capacity)]
        assert.equal(one.buffer.length, capacity)
        one.buffer.fill(1)
        assert.ok(other.buffer.every((byte) => byte === 0))
      }
    })

    test('cuts where the low 20 bits of a fingerprint are zero, whatever the others are', () => {
      const [modulus, start, length] = [polynomials[1]!, 77, minimumChunk + 5000]
      const chunker = create(modulus, 1 << 20)
      const { buffer } = chunker
      for (let bit = -1; bit < 24; bit++) {
        buffer.fill(1)
        plant(modulus, buffer, start + length, bit < 0 ? 0 : 1 << bit)
        const isCut = bit < 0 || bit >= 20
        assert.equal(chunker.findCut(start, buffer.length), isCut ? length : undefined, `bit ${bit}`)
      }
    })

    test('a rule with fewer zero bits cuts where only those are zero', () => {
      for (let zeroBits = 13; zeroBits <= 20; zeroBits++) {
        const [modulus, start] = [polynomials[1]!, 77]
        const rule = { minimum: 1000, maximum: 1 << 17, zeroBits }
        const chunker = create(modulus, 1 << 16, rule)
        for (let bit = -1; bit < 24; bit++) {
          chunker.buffer.fill(1)
          plant(modulus, chunker.buffer, start + 5000, bit < 0 ? 0 : 1 << bit)
          const isCut = bit < 0 || bit >= zeroBits
          assert.equal(chunker.findCut(start, 1 << 16), isCut ? 5000 : undefined, `${zeroBits} bits, bit ${bit}`)
        }
      }
    })

    test('cuts at the minimum, and not before it', () => {
      const chunker = create(polynomials[0]!, 1 << 20)
      chunker.buffer.fill(1)
      plant(polynomials[0]!, chunker.buffer, 10 + minimumChunk - 1)
      assert.equal(chunker.findCut(10, 1 << 20), undefined)
      plant(polynomials[0]!, chunker.buffer, 10 + minimumChunk)
      assert.equal(chunker.findCut(10, 1 << 20), minimumChunk)
      assert.equal(chunker.findCut(10, 10 + minimumChunk), minimumChunk)
      assert.equal(chunker.findCut(10, 10 + minimumChunk - 1), undefined)
    })

    test('cuts at the maximum, and not behind it', () => {
      const chunker = create(polynomials[0]!, maximumChunk + 100)
      chunker.buffer.fill(1)
      plant(polynomials[0]!, chunker.buffer, 10 + maximumChunk + 1)
      assert.equal(chunker.findCut(10, maximumChunk + 100), maximumChunk)
      assert.equal(chunker.findCut(10, maximumChunk + 10), maximumChunk)
      assert.equal(chunker.findCut(10, maximumChunk + 9), undefined)
      assert.equal(chunker.findCut(10, maximumChunk + 100, maximumChunk - 1), maximumChunk)
      plant(polynomials[0]!, chunker.buffer, 10 + maximumChunk - 1)
      assert.equal(chunker.findCut(10, maximumChunk + 100), maximumChunk - 1)
      assert.equal(chunker.findCut(10, maximumChunk + 100, maximumChunk - 2), maximumChunk - 1)
    })

    test('sees nothing of what lies behind the end', () => {
      const chunker = create(polynomials[0]!, 1 << 20)
      for (const length of [0, 1, minimumChunk - 1, minimumChunk, minimumChunk + 1, minimumChunk + 255, 600_000]) {
        chunker.buffer.fill(1, 0, length).fill(0, length)
        assert.equal(chunker.findCut(0, length), undefined)
      }
    })
  })
}

describe('both chunkers find the same cut', () => {
  test('in random bytes, wherever the chunk starts and the bytes end', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        polynomial,
        fc.nat(300),
        fc.integer({ min: minimumChunk - 100, max: 1 << 20 }),
        (seed, modulus, start, length) => {
          const bytes = randomBytes(seed, start + length)
          const [cut, expected] = kinds.map(({ create }) => {
            const chunker = create(modulus, bytes.length)
            chunker.buffer.set(bytes)
            return chunker.findCut(start, bytes.length)
          })
          assert.equal(cut, expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('where windows near the edges of minimum, lanes, blocks and end are hits or miss by one bit', () => {
    const capacity = minimumChunk + 3 * block
    const chunkers = polynomials.map((modulus) => kinds.map(({ create }) => create(modulus, capacity)))
    const near = (...edges: number[]): fc.Arbitrary<number> =>
      fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 2 })).map(([edge, by]) => edge + by)
    const edge = fc.tuple(near(0, block, 2 * block), near(0, stride, 7 * stride, 15 * stride)).map(([a, b]) => a + b)
    const hit = fc.record({
      at: fc.oneof(edge, fc.nat(2 * block)),
      value: fc.oneof(
        fc.constant(0),
        fc.nat(23).map((bit) => 1 << bit),
      ),
    })
    fc.assert(
      fc.property(
        fc.nat(polynomials.length - 1),
        fc.nat(200),
        fc.oneof(edge, fc.nat(2 * block)),
        fc.nat(255),
        fc.array(hit, { minLength: 1, maxLength: 6 }),
        (which, start, room, filler, hits) => {
          const modulus = polynomials[which]!
          const [simd, scalar] = chunkers[which]! as [Chunker, Chunker]
          const end = start + minimumChunk + Math.max(room, 0)
          simd.buffer.fill(filler)
          for (const { at, value } of hits) plant(modulus, simd.buffer, start + minimumChunk + at, value)
          scalar.buffer.set(simd.buffer)
          const cut = simd.findCut(start, end)
          assert.equal(cut, scalar.findCut(start, end))
          const last = minimumChunk + hits.at(-1)!.at
          const isHit = (hits.at(-1)!.value & 0xfffff) === 0 && last >= minimumChunk && start + last <= end
          if (isHit) assert.ok(cut !== undefined && cut <= last)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a file that comes in pieces is cut as the whole', () => {
  const capacity = maximumChunk + 200_000
  const chunkers = polynomials.map((modulus) => createChunker(modulus, capacity))
  const segment = fc.record({ seed: fc.nat(), filler: fc.nat(3), length: fc.integer({ min: 1, max: 5_000_000 }) })

  test('whatever the pieces, with and without a memory of what was examined', () => {
    fc.assert(
      fc.property(
        fc.nat(polynomials.length - 1),
        fc.array(segment, { maxLength: 4 }),
        fc.integer({ min: 500_000, max: 3_000_000 }),
        fc.array(fc.integer({ min: 1, max: 300_000 }), { maxLength: 5 }),
        fc.boolean(),
        (which, segments, piece, smaller, remembers) => {
          // Each second segment is one byte repeated: zeros are cut at the minimum, others at the maximum.
          const bytes = Buffer.concat(
            segments.map(({ seed, filler, length }, index) =>
              index % 2 ? Buffer.alloc(length, filler) : randomBytes(seed, length),
            ),
          )
          const lengths = cutPieces(chunkers[which]!, bytes, [piece, ...smaller], remembers)
          assert.deepEqual(lengths, cutAll(polynomials[which]!, bytes))
        },
      ),
      { numRuns: 15 },
    )
  })

  test('also by the scalar chunker', () => {
    const bytes = Buffer.concat([randomBytes(1, 3_000_000), Buffer.alloc(9_000_000, 1), Buffer.alloc(2_000_000)])
    const chunker = new ScalarChunker(polynomials[0]!, capacity)
    assert.deepEqual(cutPieces(chunker, bytes, [800_000, 1, 70], true), cutAll(polynomials[0]!, bytes))
  })
})

/** Reads as a caller does: into the space behind the last bytes, and moves the rest to the front when there is none. */
function cutPieces(chunker: Chunker, bytes: Uint8Array, pieces: readonly number[], remembers: boolean): number[] {
  const { buffer } = chunker
  const lengths: number[] = []
  let [start, end, examined, read] = [0, 0, 0, 0]
  for (let turn = 0; read < bytes.length; turn++) {
    if (end === buffer.length) {
      buffer.copyWithin(0, start, end)
      ;[start, end] = [0, end - start]
    }
    const piece = bytes.subarray(read, read + Math.min(pieces[turn % pieces.length]!, buffer.length - end))
    buffer.set(piece, end)
    read += piece.length
    end += piece.length
    for (;;) {
      const length = chunker.findCut(start, end, examined)
      examined = remembers && length === undefined ? end - start : 0
      if (length === undefined) break
      lengths.push(length)
      start += length
    }
  }
  if (end > start) lengths.push(end - start)
  return lengths
}

/** Changes three bytes, so that the window that ends at `end` has a fingerprint with these low 24 bits. */
function plant(modulus: bigint, bytes: Uint8Array, end: number, low24 = 0): void {
  bytes.fill(0, end - 3, end)
  const missing = Number(BigInt.asUintN(24, fingerprint(modulus, bytes.subarray(end - windowSize, end)))) ^ low24
  bytes.set([missing >>> 16, (missing >>> 8) & 0xff, missing & 0xff], end - 3)
}

/** By the definition: the bytes as one polynomial, reduced. */
function fingerprint(modulus: bigint, window: Uint8Array): bigint {
  let rest = BigInt(`0x${Buffer.from(window).toString('hex')}`)
  for (let bit = 8 * window.length - 1; bit >= 53; bit--) {
    if ((rest >> BigInt(bit)) & 1n) rest ^= modulus << BigInt(bit - 53)
  }
  return rest
}

function randomBytes(seed: number, length: number): Buffer {
  return createHash('shake128', { outputLength: length }).update(String(seed)).digest()
}

test('both chunkers cut a dump at the same places, and no chunk is outside of the bounds of its rule', () => {
  const bytes = new Uint8Array(6 << 20)
  for (let at = 0; at < bytes.length; at += 32) createHash('sha256').update(`dump ${at}`).digest().copy(bytes, at)
  bytes.fill(0, 2 << 20, 4 << 20)
  for (const modulus of polynomials) {
    const lengths = cutAll(modulus, bytes, createChunker, dumpCut)
    const judged = cutAll(modulus, bytes, (...args) => new ScalarChunker(...args), dumpCut)
    assert.deepEqual(lengths, judged)
    assert.ok(lengths.slice(0, -1).every((length) => length >= dumpCut.minimum && length <= dumpCut.maximum))
    assert.ok(lengths.length > 15)
  }
})
