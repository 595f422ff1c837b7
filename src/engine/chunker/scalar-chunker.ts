import { type Chunker, type CutRule, fileCut, lengthsToTest, windowSize } from './chunker.ts'
import { degree, powersOfX, sumOfChosen } from './polynomial.ts'

/** Place of the eight highest bits of a fingerprint in its upper 32 bits: those that the next byte pushes out. */
const topShift = degree - 8 - 32

/**
 * The chunker in plain TypeScript, about a quarter as fast as the one in WebAssembly, and its judge in the tests.
 *
 * Numbers have 32 bits for bitwise work, so fingerprints and tables are kept as an upper and a lower half.
 */
export class ScalarChunker implements Chunker {
  readonly buffer: Uint8Array
  readonly #rule: CutRule
  readonly #leaving: Halves
  readonly #pushedOut: Halves

  constructor(polynomial: bigint, capacity: number, rule: CutRule = fileCut) {
    this.buffer = new Uint8Array(capacity)
    this.#rule = rule
    this.#leaving = tabulate(powersOfX(polynomial, 8 * windowSize, 8))
    // The byte itself is part of the entry, so that adding it also clears the bits that were pushed out.
    this.#pushedOut = tabulate(
      powersOfX(polynomial, degree, 8).map((power, bit) => power | (1n << BigInt(degree + bit))),
    )
  }

  findCut(start: number, end: number, examined = 0): number | undefined {
    const { from, to } = lengthsToTest(this.#rule, start, end, examined)
    const found = from < to ? this.#scan(start + from - 1, start + to - 1) : undefined
    if (found !== undefined) return found - start
    return end - start >= this.#rule.maximum ? this.#rule.maximum : undefined
  }

  /** The end of the first window with a zero that ends with one of the bytes [first, last). */
  #scan(first: number, last: number): number | undefined {
    const { buffer } = this
    const { high: leavingHigh, low: leavingLow } = this.#leaving
    const { high: pushedHigh, low: pushedLow } = this.#pushedOut
    const splitMask = 2 ** this.#rule.zeroBits - 1
    let high = 0
    let low = 0
    for (let at = first - windowSize; at < first; at++) {
      const top = (high >>> topShift) & 0xff
      high = ((high << 8) | (low >>> 24)) ^ pushedHigh[top]!
      low = ((low << 8) | buffer[at]!) ^ pushedLow[top]!
    }
    for (let at = first; at < last; at++) {
      const top = (high >>> topShift) & 0xff
      const leaving = buffer[at - windowSize]!
      high = ((high << 8) | (low >>> 24)) ^ leavingHigh[leaving]! ^ pushedHigh[top]!
      low = ((low << 8) | buffer[at]!) ^ leavingLow[leaving]! ^ pushedLow[top]!
      if ((low & splitMask) === 0) return at + 1
    }
    return undefined
  }
}

interface Halves {
  readonly high: Int32Array
  readonly low: Int32Array
}

/** For each byte the sum of the powers that its bits choose. */
function tabulate(powers: readonly bigint[]): Halves {
  const entries = Array.from({ length: 256 }, (_, byte) => sumOfChosen(powers, byte))
  return {
    high: Int32Array.from(entries, (entry) => Number(BigInt.asIntN(32, entry >> 32n))),
    low: Int32Array.from(entries, (entry) => Number(BigInt.asIntN(32, entry))),
  }
}
