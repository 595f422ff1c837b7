import { AppError } from '#base'
import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import type { BlobType } from '../repository/blob-index.ts'
import type { Repository } from '../repository/repository.ts'
import { IdTable } from './id-table.ts'

/** Trees that are read at once. */
const treesAtOnce = 8

/** A snapshot, and until when all that it needs has to stay. */
export interface KeptSnapshot {
  /** Hex id of its tree. */
  readonly tree: string
  /** Milliseconds since 1970, UTC. */
  readonly untilMs: number
}

export interface NeededPacks {
  /** Hex ids of the packs, each with the latest date of all snapshots that need it. */
  readonly untilMs: ReadonlyMap<string, number>
  /** What may have kept from knowing them all, in words: a file or tree that cannot be read, a blob that no index names. */
  readonly gaps: readonly string[]
}

export interface NeedOptions {
  /** Told how many trees were read so far, after each few. */
  readonly onProgress?: (trees: number) => void
}

/**
 * Finds the packs that hold a blob of some snapshots, every copy of it, and until when each is needed.
 *
 * The packs of `settled` are known to the caller: what a snapshot shares, at the same place, with the newest of those that
 * last as long is left out, so that after one more backup only the folders in which something changed are read. What is
 * left out is right as long as the blobs of `settled` lie where they lay when they were settled.
 *
 * Loads the index anew. Takes no lock. Memory: the index, 40 bytes a tree, and the ids of the packs.
 *
 * @param settled - oldest first.
 * @throws what the backend throws.
 */
export async function findNeededPacks(
  repository: Repository,
  wanted: readonly KeptSnapshot[],
  settled: readonly KeptSnapshot[],
  { onProgress }: NeedOptions = {},
  signal?: AbortSignal,
): Promise<NeededPacks> {
  const damaged = await repository.loadReadableIndex(signal)
  const walk = new Walk(repository, onProgress, signal)
  walk.gaps.push(...damaged.map(({ message }) => message))
  // the latest date first, so that what was seen once need not be seen again
  for (const { tree, untilMs } of wanted.toSorted((one, other) => other.untilMs - one.untilMs)) {
    await walk.add(tree, untilMs, settled.findLast((other) => other.untilMs >= untilMs)?.tree)
  }
  return walk
}

/** A tree that is to be read, and the one that stood in its place before. */
interface Step {
  readonly tree: string
  readonly before: string | undefined
}

class Walk implements NeededPacks {
  readonly untilMs = new Map<string, number>()
  readonly gaps: string[] = []
  readonly #repository: Repository
  readonly #onProgress: NeedOptions['onProgress']
  readonly #signal: AbortSignal | undefined
  readonly #seen = new IdTable()

  constructor(repository: Repository, onProgress: NeedOptions['onProgress'], signal: AbortSignal | undefined) {
    this.#repository = repository
    this.#onProgress = onProgress
    this.#signal = signal
  }

  async add(root: string, untilMs: number, rootBefore: string | undefined): Promise<void> {
    const waiting: Step[] = []
    this.#reach({ tree: root, before: rootBefore }, untilMs, waiting)
    while (waiting.length > 0) {
      await Promise.all(waiting.splice(-treesAtOnce).map((step) => this.#visit(step, untilMs, waiting)))
      this.#onProgress?.(this.#seen.size)
    }
  }

  async #visit({ tree, before }: Step, untilMs: number, waiting: Step[]): Promise<void> {
    const nodes = await this.#read(tree)
    if (!nodes) return
    const known = before === undefined ? undefined : await this.#readKnown(before)
    for (const node of nodes) {
      const twin = known?.get(nameOf(node))
      const isKnown = twin?.content !== undefined && isSame(node.content ?? [], twin.content)
      if (!isKnown) for (const blob of node.content ?? []) this.#need('data', blob, untilMs)
      if (node.subtree !== undefined) this.#reach({ tree: node.subtree, before: twin?.subtree }, untilMs, waiting)
    }
  }

  #reach(step: Step, untilMs: number, waiting: Step[]): void {
    if (step.tree === step.before) return
    const count = this.#seen.size
    if (this.#seen.add(step.tree) < count) return
    this.#need('tree', step.tree, untilMs)
    waiting.push(step)
  }

  #need(type: BlobType, id: string, untilMs: number): void {
    const copies = this.#repository.index.find(type, id)
    // a tree that no index names cannot be read either, which is told then
    if (copies.length === 0 && type === 'data') this.gaps.push(`no index names the blob ${id.slice(0, 10)}`)
    for (const { packId } of copies) {
      if ((this.untilMs.get(packId) ?? 0) < untilMs) this.untilMs.set(packId, untilMs)
    }
  }

  /** Undefined when it cannot be read, which is a gap. */
  async #read(tree: string): Promise<readonly TreeNode[] | undefined> {
    try {
      return decodeTree(await this.#repository.loadBlob('tree', tree, this.#signal))
    } catch (thrown) {
      this.#requireAboutFile(thrown)
      this.gaps.push(`the tree ${tree.slice(0, 10)} cannot be read`)
      return undefined
    }
  }

  async #readKnown(tree: string): Promise<Map<string, TreeNode>> {
    try {
      const nodes = decodeTree(await this.#repository.loadBlob('tree', tree, this.#signal))
      return new Map(nodes.map((node) => [nameOf(node), node]))
    } catch (thrown) {
      this.#requireAboutFile(thrown)
      return new Map() // because it only spares work
    }
  }

  #requireAboutFile(thrown: unknown): void {
    this.#signal?.throwIfAborted()
    if (!(thrown instanceof AppError) || (thrown.kind !== 'damaged' && thrown.kind !== 'missing')) throw thrown
  }
}

function nameOf({ name }: TreeNode): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1')
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((blob, nth) => blob === other[nth])
}
