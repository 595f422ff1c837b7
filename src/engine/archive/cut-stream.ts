import { maximumChunk, type Chunker } from '../chunker/chunker.ts'
import { createChunker } from '../chunker/simd-chunker.ts'
import type { Sealing } from './sealing.ts'

const capacity = 2 * maximumChunk

/** Fills the start of `target` with the next bytes. @returns how many; 0 at the end. */
export type Fill = (target: Uint8Array) => Promise<number>

/** Reads a stream of pieces through `Fill`. */
export function fillFrom(pieces: AsyncIterable<Uint8Array>): { fill: Fill; stop: () => Promise<void> } {
  const iterator = pieces[Symbol.asyncIterator]()
  let piece: Uint8Array = new Uint8Array(0)
  const fill: Fill = async (target) => {
    while (piece.length === 0) {
      const next = await iterator.next()
      if (next.done) return 0
      piece = next.value
    }
    const taken = piece.subarray(0, target.length)
    target.set(taken)
    piece = piece.subarray(taken.length)
    return taken.length
  }
  return { fill, stop: async () => void (await iterator.return?.()) }
}

/**
 * Cuts streams into chunks in the main thread and shares them out to the sealing threads, so that one large file or one
 * dump keeps all of them at work. One stream at a time; others wait their turn. Memory: 16 MiB.
 */
export class StreamCutter {
  readonly #sealing: Sealing
  readonly #polynomial: bigint
  #chunker: Chunker | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(sealing: Sealing, polynomial: bigint) {
    this.#sealing = sealing
    this.#polynomial = polynomial
  }

  /** @param seen - gets each run of bytes once, in order, before it is cut. */
  cut(fill: Fill, seen?: (bytes: Uint8Array) => void): Promise<{ content: string[]; size: number }> {
    const mine = this.#turn.then(() => this.#cut(fill, seen))
    this.#turn = mine.catch(() => {}) // because the next one does not depend on how this one ends
    return mine
  }

  async #cut(fill: Fill, seen?: (bytes: Uint8Array) => void): Promise<{ content: string[]; size: number }> {
    const { buffer, findCut } = this.#take()
    const content: Promise<string>[] = []
    let [start, end, size] = [0, 0, 0]
    for (;;) {
      const read = await fill(buffer.subarray(end, capacity))
      if (read > 0) {
        seen?.(buffer.subarray(end, end + read))
        end += read
        size += read
      }
      if (read > 0 && end < capacity) continue
      // Cutting only when the buffer is full looks at each byte once, however small the pieces are.
      const leastBytes = read === 0 ? 1 : maximumChunk
      while (end - start >= leastBytes) {
        const length = findCut(start, end) ?? end - start
        const { done } = await this.#sealing.chunk(buffer.subarray(start, start + length))
        done.catch(() => {}) // because it is awaited with the others below
        content.push(done)
        start += length
      }
      if (read === 0) return { content: await Promise.all(content), size }
      buffer.copyWithin(0, start, end)
      end -= start
      start = 0
    }
  }

  #take(): { buffer: Uint8Array; findCut: Chunker['findCut'] } {
    const chunker = (this.#chunker ??= createChunker(this.#polynomial, capacity))
    return { buffer: chunker.buffer, findCut: (start, end) => chunker.findCut(start, end) }
  }
}
