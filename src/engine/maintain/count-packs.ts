import type { InventoriedPack, Inventory } from './pack-inventory.ts'
import type { Amount, PrunePlan } from './prune-plan.ts'
import type { UsedBlobs } from './used-blobs.ts'

/** Whether the file of a pack is there, and as large as the index says. */
export function isWhole(pack: InventoriedPack): boolean {
  return pack.fileSize === pack.size
}

/**
 * Of blobs that are stored more than once, keeps the copy in the pack of which the least is not needed; of two such packs
 * in the larger one. So what was packed again by a prune that was killed is kept, and the packs that it came from go.
 */
export function chooseCopies({ index, packs }: Inventory, used: UsedBlobs): void {
  const unneeded = new Float64Array(packs.length)
  for (const { first, pack, length } of index.rows()) if (used.keptOf(first) === undefined) unneeded[pack]! += length
  const rankOf = (number: number): number => (isWhole(packs[number]!) ? unneeded[number]! / packs[number]!.size : 2)
  const isBetter = (one: number, other: number): boolean => {
    const ranks = rankOf(one) - rankOf(other) || packs[other]!.size - packs[one]!.size
    return ranks === 0 ? packs[one]!.id < packs[other]!.id : ranks < 0
  }
  for (const { entry, first, pack } of index.rows()) {
    const kept = used.keptOf(first)
    if (kept !== undefined && kept !== entry && isBetter(pack, index.packOf(kept))) used.keep(first, entry)
  }
}

/** Counts what is needed in each pack. */
export function countBlobs({ index, packs }: Inventory, used: UsedBlobs): void {
  for (const { entry, first, pack, length } of index.rows()) {
    const kept = used.keptOf(first)
    const { counts } = packs[pack]!
    const amount = kept === undefined ? counts.unused : kept === entry ? counts.used : counts.duplicate
    amount.count++
    amount.bytes += length
  }
}

export function sumOfBlobs(packs: readonly InventoriedPack[]): PrunePlan['blobs'] {
  const sum = (kind: keyof PrunePlan['blobs']): Amount => ({
    count: packs.reduce((total, { counts }) => total + counts[kind].count, 0),
    bytes: packs.reduce((total, { counts }) => total + counts[kind].bytes, 0),
  })
  return { used: sum('used'), unused: sum('unused'), duplicate: sum('duplicate') }
}

/** Of files that are there. @param sizes - those that are not are undefined. */
export function amountOf(sizes: Iterable<number | undefined>): Amount {
  let count = 0
  let bytes = 0
  for (const size of sizes) {
    if (size === undefined) continue
    count++
    bytes += size
  }
  return { count, bytes }
}
