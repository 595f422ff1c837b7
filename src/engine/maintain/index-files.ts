import { encodeIndex, type IndexedPack } from '../format/index-file.ts'
import type { Repository } from '../repository/repository.ts'
import { isAffected, type PlannedIndex } from './plan-indexes.ts'
import type { Removals } from './removals.ts'

/** As restic: an index file is closed at this many blobs. */
const blobsOfIndexFile = 50_000

/**
 * The index files of a repository while packs go. A pack that goes is first named by no index file: the files that name it
 * are replaced by others without it, written before the old ones are removed, so that at each moment everything that is
 * needed is named, and nothing is named that is not there. Whatever stops in between leaves a pack named twice, or by none.
 *
 * Few at a time are replaced, and their packs removed at once: first those of which nothing is left, for which nothing has to
 * be written, then the smallest. So what comes first makes room for the next on a disk that is full.
 */
export class IndexFiles {
  readonly #repository: Repository
  readonly #removals: Removals
  readonly #signal: AbortSignal
  readonly #files: Map<string, PlannedIndex>
  #replaced = 0
  #toReplace = 0
  #hasRemoved = false
  #isRefused = false

  constructor(repository: Repository, files: readonly PlannedIndex[], removals: Removals, signal: AbortSignal) {
    this.#repository = repository
    this.#files = new Map(files.map((file) => [file.id, file]))
    this.#removals = removals
    this.#signal = signal
  }

  /** Hex ids of those that are there. */
  get ids(): ReadonlySet<string> {
    return new Set(this.#files.keys())
  }

  /** Index files replaced so far, of those that are known to have to be. */
  get progress(): { readonly done: number; readonly total: number } {
    return { done: this.#replaced, total: this.#toReplace }
  }

  /** Whether the place was seen to remove an index file. */
  get hasRemoved(): boolean {
    return this.#hasRemoved
  }

  /** Whether the place has refused to: nothing else may go then. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  /** Takes in one that was saved. */
  add(file: PlannedIndex): void {
    this.#files.set(file.id, file)
  }

  /**
   * Sees to it that no index file names any of `gone`, and removes those packs.
   *
   * @param confirm - called before each step that cannot be undone.
   * @throws `backend.full` when not even the smallest of what is left finds room.
   */
  async drop(gone: ReadonlyMap<string, number>, confirm: () => Promise<void>): Promise<void> {
    const affected = [...this.#files.values()].filter((file) => isAffected(file, gone))
    this.#toReplace += affected.length
    for (const group of inGroups(affected, gone)) {
      if (this.#isRefused) return
      await this.#replaceInParts(group, gone, confirm)
    }
  }

  /** Replaces the smallest index file by one that says the same, to see whether the place removes anything. */
  async tryRemoval(gone: ReadonlyMap<string, number>, confirm: () => Promise<void>): Promise<void> {
    const affected = [...this.#files.values()].filter((file) => isAffected(file, gone))
    const [smallest] = affected.sort((a, b) => a.blobs - b.blobs)
    if (!smallest) return
    this.#toReplace++
    await this.#replace([smallest], new Map(), confirm)
  }

  /** Halves what finds no room. */
  async #replaceInParts(
    group: readonly PlannedIndex[],
    gone: ReadonlyMap<string, number>,
    confirm: () => Promise<void>,
  ): Promise<void> {
    try {
      await this.#replace(group, gone, confirm)
    } catch (thrown) {
      if (!isFull(thrown) || group.length === 1) throw thrown
      const middle = group.length >> 1
      for (const part of [group.slice(0, middle), group.slice(middle)]) {
        if (!this.#isRefused) await this.#replaceInParts(part, gone, confirm)
      }
    }
  }

  async #replace(
    group: readonly PlannedIndex[],
    gone: ReadonlyMap<string, number>,
    confirm: () => Promise<void>,
  ): Promise<void> {
    await confirm()
    await this.#write(group, gone)
    await confirm()
    for (const { id } of group) {
      if (!(await this.#removals.removeIndex(id))) {
        this.#isRefused = true
        return
      }
      this.#hasRemoved = true
      this.#files.delete(id)
      this.#replaced++
    }
    const packs = group.flatMap((file) => file.packs).filter((id) => gone.has(id))
    await this.#removals.removePacks(packs.map((id) => [id, gone.get(id)!] as const).filter(([, size]) => size > 0))
  }

  /** Writes what a group names and what stays. What was written before the place was full is removed again. */
  async #write(group: readonly PlannedIndex[], gone: ReadonlyMap<string, number>): Promise<void> {
    const written: PlannedIndex[] = []
    let packs: IndexedPack[] = []
    let blobs = 0
    const save = async (): Promise<void> => {
      if (packs.length === 0) return
      const id = await this.#repository.saveUnpacked('index', encodeIndex(packs), this.#signal)
      written.push({ id, packs: packs.map((pack) => pack.id), blobs, isReplaced: false })
      packs = []
      blobs = 0
    }
    try {
      for (const file of group) {
        for (const pack of await this.#packsThatStay(file, gone)) {
          packs.push(pack)
          blobs += pack.blobs.length
          if (blobs >= blobsOfIndexFile) await save()
        }
      }
      await save()
    } catch (thrown) {
      if (isFull(thrown)) for (const { id } of written.splice(0)) await this.#removals.removeIndex(id)
      throw thrown
    }
    for (const file of written) this.add(file)
  }

  async #packsThatStay({ id, packs }: PlannedIndex, gone: ReadonlyMap<string, number>): Promise<IndexedPack[]> {
    const owned = new Set(packs.filter((pack) => !gone.has(pack)))
    if (owned.size === 0) return []
    return (await this.#repository.loadIndexFile(id, this.#signal)).filter((pack) => owned.delete(pack.id))
  }
}

/** Thrown by a place that has no room left. */
export function isFull(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'backend.full'
}

/** Those of which nothing stays, one by one; then the others, from the smallest on, as many as fill an index file. */
function inGroups(files: readonly PlannedIndex[], gone: ReadonlyMap<string, number>): PlannedIndex[][] {
  const isEmptied = ({ packs }: PlannedIndex): boolean => packs.every((id) => gone.has(id))
  const groups = files.filter(isEmptied).map((file) => [file])
  let group: PlannedIndex[] = []
  let blobs = 0
  for (const file of files.filter((one) => !isEmptied(one)).sort((a, b) => a.blobs - b.blobs)) {
    group.push(file)
    blobs += file.blobs
    if (blobs < blobsOfIndexFile) continue
    groups.push(group)
    group = []
    blobs = 0
  }
  if (group.length > 0) groups.push(group)
  return groups
}
