import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

import * as fc from 'fast-check'

import { createCtrCipher, nodeCipher } from './aes.ts'
import { findLibrary } from './library.ts'
import { createPoly1305, nodePoly1305 } from './poly1305.ts'
import { createCompressor, decompressInto, longestFrame, nodeCompressor } from './zstd.ts'

const words = Buffer.from('insert into invoice values (1, 2, 3);\n'.repeat(40_000))
const parameters = [{ level: 3 }, { level: 3, minMatch: 6 }, { level: 1 }]

/** Bytes behind and before a view, which no call may touch. */
function guarded(length: number): { view: Uint8Array; isWhole: () => boolean } {
  const memory = new Uint8Array(new SharedArrayBuffer(length + 64)).fill(0xa5)
  const isWhole = (): boolean => [...memory.subarray(0, 32), ...memory.subarray(-32)].every((byte) => byte === 0xa5)
  return { view: memory.subarray(32, 32 + length), isWhole }
}

suite(
  'the C libraries of Node',
  { skip: findLibrary() ? false : 'this Node shows no functions of its libraries' },
  () => {
    test('encrypt to the same bytes as node:crypto, of any length and at any place, and nothing beyond them', () => {
      const input = fc.record({
        plain: fc.uint8Array({ maxLength: 5000 }),
        key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      })
      fc.assert(
        fc.property(input, ({ plain, key, nonce }) => {
          const expected = Buffer.alloc(plain.length)
          nodeCipher(key).apply(nonce, plain, expected)
          const { view, isWhole } = guarded(plain.length)
          const cipher = createCtrCipher(key)
          cipher.apply(nonce, plain, view)
          assert.deepEqual(Buffer.from(view), expected)
          assert.ok(isWhole())
          const back = Buffer.alloc(plain.length)
          cipher.apply(nonce, view, back)
          assert.deepEqual(back, Buffer.from(plain))
        }),
      )
      const long = randomBytes(3_000_001)
      const [key, nonce] = [randomBytes(32), Buffer.alloc(16, 0xff)]
      const [one, other] = [Buffer.alloc(long.length), Buffer.alloc(long.length)]
      createCtrCipher(key).apply(nonce, long, one)
      nodeCipher(key).apply(nonce, long, other)
      assert.ok(one.equals(other))
    })

    test('encrypt the same while a context is held, whatever was held before and whatever failed meanwhile', () => {
      const [key, plain] = [randomBytes(32), randomBytes(5000)]
      const cipher = createCtrCipher(key)
      const isRight = (length: number): boolean => {
        const nonce = randomBytes(16)
        const [one, other] = [Buffer.alloc(length), Buffer.alloc(length)]
        cipher.apply(nonce, plain.subarray(0, length), one)
        nodeCipher(key).apply(nonce, plain.subarray(0, length), other)
        return one.equals(other)
      }
      for (let round = 0; round < 3; round++) {
        using _ = cipher.hold()
        assert.ok(isRight(17) && isRight(5000) && isRight(0) && isRight(1))
        {
          using _inner = cipher.hold()
          assert.ok(isRight(100))
        }
        assert.throws(() => cipher.apply(randomBytes(16), plain, Buffer.alloc(1)), RangeError)
        assert.ok(isRight(333))
      }
      assert.ok(isRight(333))
    })

    test('make the same codes as node:crypto, held or not, and nothing beyond them', () => {
      const mac = createPoly1305()
      const areRight = (): void => {
        for (const length of [0, 1, 15, 16, 17, 1500, 70_000]) {
          const [key, input] = [randomBytes(32), randomBytes(length)]
          const expected = Buffer.alloc(16)
          nodePoly1305.apply(key, input, expected)
          const { view, isWhole } = guarded(16)
          mac.apply(key, input, view)
          assert.deepEqual(Buffer.from(view), expected)
          assert.ok(isWhole())
        }
      }
      areRight()
      for (let round = 0; round < 3; round++) {
        using _ = mac.hold()
        areRight()
        {
          using _inner = mac.hold()
          areRight()
        }
        assert.throws(() => mac.apply(randomBytes(31), randomBytes(5), Buffer.alloc(16)), RangeError)
        assert.throws(() => mac.apply(randomBytes(32), randomBytes(5), Buffer.alloc(15)), RangeError)
        areRight()
      }
      areRight()
    })

    test('refuse what does not fit', () => {
      const cipher = createCtrCipher(randomBytes(32))
      assert.throws(() => cipher.apply(randomBytes(16), randomBytes(20), Buffer.alloc(19)), RangeError)
      assert.throws(() => cipher.apply(randomBytes(15), randomBytes(20), Buffer.alloc(20)), RangeError)
      assert.throws(() => createCtrCipher(randomBytes(31)), RangeError)
    })

    test('compress as well as node:zlib, to frames that it reads, one after the other with one memory', () => {
      for (const parameter of parameters) {
        const [ours, theirs] = [createCompressor(parameter), nodeCompressor(parameter)]
        for (const length of [0, 1, 63, 200, 4096, 70_000, 262_144, words.length]) {
          for (const plain of [words.subarray(0, length), randomBytes(length)]) {
            const { view, isWhole } = guarded(longestFrame(length))
            const size = ours.compress(plain, view)!
            assert.ok(size <= theirs.compress(plain, Buffer.alloc(longestFrame(length)))! + 8)
            assert.ok(zstdDecompressSync(view.subarray(0, size)).equals(plain))
            assert.ok(isWhole())
          }
        }
      }
    })

    test('a frame that has no room is told, and nothing is written beyond it', () => {
      const noise = randomBytes(10_000)
      const { view, isWhole } = guarded(9_999)
      const compressor = createCompressor({ level: 3 })
      assert.equal(compressor.compress(noise, view), undefined)
      assert.ok(isWhole())
      assert.ok(compressor.compress(words, view)! < 9_999)
    })

    test('decompress frames that follow each other, and refuse damaged, longer and unfinished ones', () => {
      const frames = Buffer.concat([zstdCompressSync(words), zstdCompressSync(Buffer.from('more'))])
      const { view, isWhole } = guarded(words.length + 4)
      assert.equal(decompressInto(frames, view), words.length + 4)
      assert.ok(Buffer.from(view).equals(Buffer.concat([words, Buffer.from('more')])))
      const damaged = Buffer.from(frames)
      damaged[200]! ^= 0x10
      const give = (bytes: Uint8Array, room: number): string => {
        const target = guarded(room)
        try {
          const length = decompressInto(bytes, target.view)
          return createHash('sha256').update(target.view.subarray(0, length)).digest('hex')
        } finally {
          assert.ok(target.isWhole())
        }
      }
      assert.throws(() => give(frames, words.length + 3), /zstd/)
      assert.throws(() => give(frames.subarray(0, -1), words.length + 4), /zstd/)
      assert.throws(() => give(randomBytes(50), 1000), /zstd/)
      assert.throws(() => assert.equal(give(damaged, view.length), give(frames, view.length)))
      assert.ok(isWhole())
    })
  },
)
