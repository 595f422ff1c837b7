import { randomHex } from '#base'
import { sha256Hex } from '../crypto/hash.ts'

/**
 * Which packs are read when a share of the data is: drawn by lot (one `seed`, one choice), or one part of several that
 * together are everything: part 1 to `of`, told apart by the first byte of the id, as restic does with `n/t`; several of
 * these; or those that are named.
 */
export type PackChoice =
  | { readonly seed?: string }
  | { readonly part: number; readonly of: number }
  | { readonly slices: readonly number[]; readonly of: number }
  | { readonly ids: ReadonlySet<string> }

/** @param share - 0 to 1, of the packs, rounded up; not asked when a part, or ids, are chosen. */
export function choosePacks(ids: readonly string[], share: number, choice: PackChoice = {}): string[] {
  if ('ids' in choice) return ids.filter((id) => choice.ids.has(id))
  if ('part' in choice) return ids.filter((id) => Number.parseInt(id.slice(0, 2), 16) % choice.of === choice.part - 1)
  if ('slices' in choice) {
    return ids.filter((id) => choice.slices.includes((Number.parseInt(id.slice(0, 2), 16) % choice.of) + 1))
  }
  if (share >= 1) return [...ids]
  const { seed = randomHex(16) } = choice
  const drawn = ids.map((id) => ({ id, lot: sha256Hex(Buffer.from(`${seed} ${id}`)) }))
  drawn.sort((a, b) => (a.lot < b.lot ? -1 : 1))
  return drawn.slice(0, Math.ceil(ids.length * share)).map(({ id }) => id)
}
