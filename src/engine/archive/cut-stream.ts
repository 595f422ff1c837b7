import { type Chunker, type CutRule, dumpCut, fileCut } from '../chunker/chunker.ts'
import { createChunker } from '../chunker/simd-chunker.ts'
import type { StreamContent } from './entry.ts'
import { bytesOfChunksJob } from './limits.ts'
import type { Sealing } from './sealing.ts'

/** How each kind is cut, and in how large a buffer: some chunks at once, so that what is left over is seldom moved. */
const kinds: Record<NonNullable<StreamContent['cut']>, { rule: CutRule; capacity: number }> = {
  file: { rule: fileCut, capacity: 2 * fileCut.maximum },
  dump: { rule: dumpCut, capacity: 6 * dumpCut.maximum },
}

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

export interface CutOptions {
  /** Gets each run of bytes once, in order, before it is cut. */
  readonly seen?: (bytes: Uint8Array) => void
  /** Default: `file`. */
  readonly cut?: StreamContent['cut'] | undefined
}

/**
 * Cuts streams into chunks in the main thread and shares them out to the sealing threads, so that one large file or one
 * dump keeps all of them at work. One stream at a time; others wait their turn. Memory: 22 MiB.
 */
export class StreamCutter {
  readonly #sealing: Sealing
  readonly #polynomial: bigint
  readonly #chunkers = new Map<string, Chunker>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(sealing: Sealing, polynomial: bigint) {
    this.#sealing = sealing
    this.#polynomial = polynomial
  }

  cut(fill: Fill, options: CutOptions = {}): Promise<{ content: string[]; size: number }> {
    const mine = this.#turn.then(() => this.#cut(fill, options))
    this.#turn = mine.catch(() => {}) // because the next one does not depend on how this one ends
    return mine
  }

  async #cut(fill: Fill, { seen, cut = 'file' }: CutOptions): Promise<{ content: string[]; size: number }> {
    const chunker = this.#take(cut)
    const { buffer } = chunker
    const content: Promise<readonly string[]>[] = []
    let [start, end, size] = [0, 0, 0]
    for (;;) {
      const read = await fill(buffer.subarray(end))
      if (read > 0) {
        seen?.(buffer.subarray(end, end + read))
        end += read
        size += read
      }
      if (read > 0 && end < buffer.length) continue
      // Cutting only when the buffer is full looks at each byte once, however small the pieces are.
      const leastBytes = read === 0 ? 1 : kinds[cut].rule.maximum
      while (end - start >= leastBytes) {
        const lengths: number[] = []
        let next = start
        do {
          const length = chunker.findCut(next, end) ?? end - next
          lengths.push(length)
          next += length
        } while (next - start < bytesOfChunksJob && end - next >= leastBytes)
        const { done } = await this.#sealing.chunks(buffer.subarray(start, next), lengths, cut)
        done.catch(() => {}) // because it is awaited with the others below
        content.push(done)
        start = next
      }
      if (read === 0) return { content: (await Promise.all(content)).flat(), size }
      buffer.copyWithin(0, start, end)
      end -= start
      start = 0
    }
  }

  #take(cut: keyof typeof kinds): Chunker {
    const known = this.#chunkers.get(cut)
    if (known) return known
    const { rule, capacity } = kinds[cut]
    const chunker = createChunker(this.#polynomial, capacity, rule)
    this.#chunkers.set(cut, chunker)
    return chunker
  }
}
