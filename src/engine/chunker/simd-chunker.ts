import { type Chunker, type CutRule, fileCut, lengthsToTest, windowSize } from './chunker.ts'
import { degree, powersOfX, sumOfChosen } from './polynomial.ts'
import { rabinWasm } from './rabin-wasm.ts'

const lanes = 16
const planes = 7
const nibbleValues = 16
/** Bytes that each lane scans in a call. Not a power of two, or all lanes would share one set of the CPU's cache. */
const longestStride = 4160
/** The lanes of a last block read up to so many bytes behind the end; what they find there is not used. */
const margin = lanes * nibbleValues

/** A chunker in WebAssembly with SIMD. `polynomial` must be irreducible; `capacity` is the length of `buffer` in bytes. */
export function createChunker(polynomial: bigint, capacity: number, rule: CutRule = fileCut): Chunker {
  return new SimdChunker(polynomial, capacity, rule)
}

/** The method is explained where its WebAssembly is made: scripts/rabin-wat.ts. */
class SimdChunker implements Chunker {
  readonly buffer: Uint8Array
  readonly #rule: CutRule
  readonly #bufferAt: number
  readonly #scanBlock: RabinExports['scan']

  constructor(polynomial: bigint, capacity: number, rule: CutRule) {
    const { memory, tables, cutBits, buffer, scan } = instantiate()
    const missing = buffer.value + capacity + margin - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / 65536))
    const bytes = new Uint8Array(memory.buffer)
    bytes.set(nibbleTables(polynomial), tables.value)
    bytes.fill(upperBits(rule.zeroBits), cutBits.value, cutBits.value + lanes)
    this.#rule = rule
    this.buffer = new Uint8Array(memory.buffer, buffer.value, capacity)
    this.#bufferAt = buffer.value
    this.#scanBlock = scan
  }

  findCut(start: number, end: number, examined = 0): number | undefined {
    const { from, to } = lengthsToTest(this.#rule, start, end, examined)
    const found = this.#scan(start + from - 1, start + to - 1)
    if (found !== undefined) return found - start
    return end - start >= this.#rule.maximum ? this.#rule.maximum : undefined
  }

  /** The end of the first window with a zero that ends with one of the bytes [first, last). */
  #scan(first: number, last: number): number | undefined {
    for (let at = first; at < last; at += lanes * longestStride) {
      const stride = Math.min(longestStride, nibbleValues * Math.ceil((last - at) / margin))
      const found = this.#scanBlock(this.#bufferAt + at, stride)
      if (found >= 0) return at + found < last ? at + found + 1 : undefined
    }
    return undefined
  }
}

interface RabinExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly tables: { readonly value: number }
  readonly cutBits: { readonly value: number }
  readonly buffer: { readonly value: number }
  readonly scan: (first: number, stride: number) => number
}

/** The part of the standard global that is used here; the type library of Node leaves it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

function instantiate(): RabinExports {
  const module = new WebAssembly.Module(Buffer.from(rabinWasm, 'base64'))
  return new WebAssembly.Instance(module).exports as RabinExports
}

/** Which bits of plane 2, which holds bits 13 to 20 at their places mod 8, have to be zero as well. */
function upperBits(zeroBits: number): number {
  let byte = 0
  for (let bit = 13; bit < zeroBits; bit++) byte |= 1 << (bit & 7)
  return byte
}

/** What a byte adds to each plane, by its low and by its high nibble: the byte pushed out, then the one that leaves. */
function nibbleTables(polynomial: bigint): Uint8Array {
  // Plane 6 holds bits 45 to 52 at their places mod 8, so what is pushed out begins at place 5.
  const pushedOut = powersOfX(polynomial, degree, 8)
  const rotated = [...pushedOut.slice(3), ...pushedOut.slice(0, 3)]
  return Uint8Array.from(
    [rotated, powersOfX(polynomial, 8 * windowSize, 8)].flatMap((powers) =>
      Array.from({ length: planes }, (_, plane) =>
        [powers.slice(0, 4), powers.slice(4)].flatMap((half) =>
          Array.from({ length: nibbleValues }, (_, nibble) => planeOf(sumOfChosen(half, nibble), plane)),
        ),
      ).flat(),
    ),
  )
}

/** Bits 8·plane − 3 to 8·plane + 4 of a fingerprint, bit i at place i mod 8. */
function planeOf(fingerprint: bigint, plane: number): number {
  const byte = Number(((fingerprint << 3n) >> BigInt(8 * plane)) & 0xffn)
  return ((byte >>> 3) | (byte << 5)) & 0xff
}
