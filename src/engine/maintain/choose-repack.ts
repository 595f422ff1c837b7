import { packTarget } from '../repository/pack-buffer.ts'
import type { InventoriedPack } from './pack-inventory.ts'

/** Packs below this share of the usual size are small, … */
const smallShare = 0.8
/** … and are merged when there are so many of them. */
const fewestSmall = 10
/** The usual size is that of the third of a hundred packs, from the smallest on, but … */
const usualPercentile = 0.03
/** … not less than this. */
const usualAtLeast = 4 * 1024 * 1024

export interface RepackLimits {
  /** Share of what stays, 0 to 1, that nobody may need. */
  readonly maxUnusedShare: number
  /** Bytes of packs; undefined for no limit. */
  readonly maxRepackBytes: number | undefined
  /** Trees that are not compressed are packed again in version 2. */
  readonly version: 1 | 2
}

/** Bytes of blobs of a pack that need not stay. */
export function wastedBytes({ counts }: InventoriedPack): number {
  return counts.unused.bytes + counts.duplicate.bytes
}

/**
 * Chooses which packs, of those with something that is needed, are packed again: those that are not as they should be and
 * many small ones always, and of the others those in which the largest share is not needed, until few enough of that is left.
 *
 * Source: restic-format §15, `prune`.
 */
export function chooseRepack(packs: readonly InventoriedPack[], limits: RepackLimits): Set<InventoriedPack> {
  const { maxUnusedShare, maxRepackBytes = Infinity, version } = limits
  const usedBytes = packs.reduce((sum, { counts }) => sum + counts.used.bytes, 0)
  const mayStay = maxUnusedShare >= 1 ? Infinity : (usedBytes * maxUnusedShare) / (1 - maxUnusedShare)
  const isSmall = smallOnes(packs)
  const rankOf = (pack: InventoriedPack): number => {
    if (pack.holds === 'both' || (version === 2 && pack.hasRawTrees)) return 0
    if (isSmall(pack)) return 1
    return pack.holds === 'tree' ? 2 : 3 // because trees are read again and again
  }
  const candidates = packs
    .map((pack) => ({ pack, rank: rankOf(pack), wasted: wastedBytes(pack) }))
    .filter(({ rank, wasted }) => rank <= 1 || wasted > 0)
    .sort(
      (a, b) => a.rank - b.rank || b.wasted / b.pack.size - a.wasted / a.pack.size || (a.pack.id < b.pack.id ? -1 : 1),
    )
  const chosen = new Set<InventoriedPack>()
  let left = packs.reduce((sum, pack) => sum + wastedBytes(pack), 0)
  let bytes = 0
  for (const { pack, rank, wasted } of candidates) {
    if (bytes + pack.size > maxRepackBytes || (rank > 1 && left <= mayStay)) continue
    chosen.add(pack)
    left -= wasted
    bytes += pack.size
  }
  return chosen
}

function smallOnes(packs: readonly InventoriedPack[]): (pack: InventoriedPack) => boolean {
  const sizes = packs.map(({ size }) => size).sort((a, b) => a - b)
  const usual = Math.max(usualAtLeast, sizes[Math.floor(sizes.length * usualPercentile)] ?? 0)
  // never more than we fill a pack with, or what we merge would count as small for ever
  const small = smallShare * Math.min(usual, packTarget)
  const areMany = sizes.filter((size) => size < small).length >= fewestSmall
  return ({ size }) => areMany && size < small
}
