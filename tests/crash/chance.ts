/** Chance that one number decides: the same seed, the same course. */
export interface Chance {
  /** From 0 up to, and without, 1. */
  next(): number
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number
  pick<T>(from: readonly T[]): T
  bytes(count: number): Buffer
}

/** Mulberry32. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    pick: (from) => from[below(from.length)]!,
    bytes: (count) => {
      const words = Uint32Array.from({ length: Math.ceil(count / 4) }, () => Math.floor(next() * 2 ** 32))
      return Buffer.from(words.buffer, 0, count)
    },
  }
}

/** True when sweeps are to be whole, and not samples. */
export const isLong = process.env['BEWAAR_LONG'] === '1'

/** The seed of this run: BEWAAR_SEED repeats one that was printed. */
export function seedOf(fallback: number): number {
  return Number(process.env['BEWAAR_SEED'] ?? fallback)
}
