import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import * as fc from 'fast-check'

import { isIrreducible, newPolynomial, powersOfX, sumOfChosen } from './polynomial.ts'

interface Vector {
  readonly polynomial: string
  readonly out_table_1_2_255: readonly string[]
  readonly mod_table_1_2_255: readonly string[]
}
const vectors = readVectors()

describe('isIrreducible', () => {
  test('accepts the polynomials that restic accepts', () => {
    for (const { polynomial } of vectors) assert.ok(isIrreducible(BigInt(`0x${polynomial}`)), polynomial)
  })

  test('finds the smallest and the largest one of degree 53', () => {
    const [smallest, largest] = [0x20000000000047n, 0x3fffffffffffe5n]
    for (let below = 1n << 53n; below < smallest; below++) assert.ok(!isIrreducible(below), below.toString(16))
    for (let above = largest + 1n; above < 1n << 54n; above++) assert.ok(!isIrreducible(above), above.toString(16))
  })

  test('refuses every product', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 26 }),
        fc.bigInt(0n, 1n << 26n),
        fc.bigInt(0n, 1n << 52n),
        (degree, a, b) => {
          const left = BigInt.asUintN(degree, a) | (1n << BigInt(degree))
          const right = BigInt.asUintN(53 - degree, b) | (1n << BigInt(53 - degree))
          assert.ok(!isIrreducible(product(left, right)))
        },
      ),
    )
  })

  test('refuses every other degree, zero and negative numbers', () => {
    // x² + x + 1, x³ + x + 1 and x⁵² + x³ + 1 are irreducible, but not of degree 53.
    for (const other of [0n, 1n, 2n, 7n, 11n, (1n << 52n) | 9n, 1n << 54n, -0x3da3358b4dc173n]) {
      assert.ok(!isIrreducible(other), other.toString(16))
    }
  })
})

describe('newPolynomial', () => {
  test('gives irreducible polynomials, each time another one', () => {
    const drawn = Array.from({ length: 20 }, () => newPolynomial())
    assert.ok(drawn.every((polynomial) => isIrreducible(polynomial)))
    assert.equal(new Set(drawn).size, drawn.length)
  })

  test('takes the low 54 bits of a little-endian number, sets the first and the last, and tries again', () => {
    const draws = [0xffa0000000000046n, 0xff9da3358b4dc172n]
    const polynomial = newPolynomial((count) => {
      const bytes = new DataView(new ArrayBuffer(count))
      bytes.setBigUint64(0, draws.shift()!, true)
      return new Uint8Array(bytes.buffer)
    })
    assert.equal(polynomial.toString(16), '20000000000047')
    assert.equal(draws.length, 1)
  })

  test('passes over what is reducible', () => {
    const draws = [0n, 2n, 0x1da3358b4dc172n]
    const polynomial = newPolynomial((count) => {
      const bytes = new DataView(new ArrayBuffer(count))
      bytes.setBigUint64(0, draws.shift()!, true)
      return new Uint8Array(bytes.buffer)
    })
    assert.equal(polynomial.toString(16), '3da3358b4dc173')
  })
})

test("powers of x give the entries of restic's tables", () => {
  for (const { polynomial, out_table_1_2_255: out, mod_table_1_2_255: mod } of vectors) {
    const modulus = BigInt(`0x${polynomial}`)
    for (const [index, byte] of [1, 2, 255].entries()) {
      assert.equal(sumOfChosen(powersOfX(modulus, 504, 8), byte).toString(16), out[index])
      const pushedOut = sumOfChosen(powersOfX(modulus, 53, 8), byte) | (BigInt(byte) << 53n)
      assert.equal(pushedOut.toString(16), mod[index])
    }
  }
})

function product(left: bigint, right: bigint): bigint {
  let sum = 0n
  for (let bit = 0n; right >> bit > 0n; bit++) if ((right >> bit) & 1n) sum ^= left << bit
  return sum
}

function readVectors(): readonly Vector[] {
  const path = new URL('../../../tests/fixtures/vectors/chunker.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { polynomials: Vector[] }).polynomials
}
