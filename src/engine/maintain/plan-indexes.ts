import type { Inventory } from './pack-inventory.ts'

/** Index files with fewer blobs than this are small … */
const fewBlobs = 5000
/** … and are merged when there are so many of them. */
const fewestSmall = 10

export interface PlannedIndex {
  readonly id: string
  /** Hex ids of the packs that it is the first to name. */
  readonly packs: readonly string[]
  readonly blobs: number
  /** Whether it is replaced whatever becomes of its packs. */
  readonly isReplaced: boolean
}

/** Those that name something a second time are replaced, and small ones when there are many. */
export function planIndexes({ indexFiles, packs }: Inventory): PlannedIndex[] {
  const areManySmall = indexFiles.filter(({ blobs }) => blobs < fewBlobs).length >= fewestSmall
  return indexFiles.map(({ id, packs: numbers, blobs, hasExcess }) => ({
    id,
    packs: numbers.map((number) => packs[number]!.id),
    blobs,
    isReplaced: hasExcess || (areManySmall && blobs < fewBlobs),
  }))
}

/** Whether an index file has to be replaced when these packs go. */
export function isAffected({ packs, isReplaced }: PlannedIndex, gone: ReadonlyMap<string, unknown>): boolean {
  return isReplaced || packs.some((id) => gone.has(id))
}
