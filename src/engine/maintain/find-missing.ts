import { AppError } from '#base'
import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import type { BlobType } from '../repository/blob-index.ts'
import type { Repository } from '../repository/repository.ts'
import { IdTable } from './id-table.ts'
import { TreeGraph } from './tree-graph.ts'
import { WantedBlobs } from './wanted-blobs.ts'

/** Trees that are read at once. */
const treesAtOnce = 8

/** A blob that the snapshots need and that the source does not have, or a tree that cannot be read there. */
export interface Gap {
  readonly type: BlobType
  readonly id: string
  readonly reason: string
}

/**
 * Walks the trees of snapshots in one repository for the blobs that another one does not have.
 *
 * Every tree is visited, also below those that the other one has: a copy that was interrupted may have left a tree there
 * without what it names.
 */
export class MissingBlobs {
  readonly wanted: WantedBlobs = new WantedBlobs()
  readonly gaps: Gap[] = []
  readonly #from: Repository
  readonly #to: Repository
  readonly #graph = new TreeGraph()
  readonly #seen: Readonly<Record<BlobType, IdTable>> = { data: new IdTable(), tree: new IdTable() }

  /** Both with their index loaded. */
  constructor(from: Repository, to: Repository) {
    this.#from = from
    this.#to = to
  }

  /** Trees visited. */
  get trees(): number {
    return this.#seen.tree.size
  }

  /** @param root - hex id of a snapshot's tree. */
  async addTree(root: string, signal: AbortSignal): Promise<void> {
    const waiting: string[] = []
    this.#want('tree', root, waiting)
    while (waiting.length > 0) {
      await Promise.all(waiting.splice(-treesAtOnce).map((id) => this.#visit(id, waiting, signal)))
    }
  }

  /**
   * The trees, of those given, below which something is that cannot be copied.
   *
   * @param lost - hex ids of blobs that turned out to be damaged.
   */
  async damagedOf(roots: readonly string[], lost: ReadonlySet<string>, signal: AbortSignal): Promise<Set<string>> {
    const gone = new Set([...lost, ...this.gaps.map(({ id }) => id)])
    if (gone.size === 0) return new Set()
    for (const root of roots) this.#graph.reach(root)
    for (const tree of this.#graph.reachedBut('lost', 'unknown')) {
      const id = this.#graph.idOf(tree)
      const nodes = gone.has(id) ? undefined : await this.#read(id, signal)
      if (!nodes || nodes.some(({ content }) => content?.some((blob) => gone.has(blob)))) this.#graph.recordFault(tree)
    }
    const tainted = this.#graph.tainted()
    return new Set(roots.filter((root) => tainted.has(this.#graph.number(root))))
  }

  async #visit(id: string, waiting: string[], signal: AbortSignal): Promise<void> {
    const nodes = await this.#read(id, signal)
    if (!nodes) return this.#graph.recordLost(id)
    const subtrees = new Set<string>()
    for (const { content, subtree } of nodes) {
      for (const blob of content ?? []) this.#want('data', blob, waiting)
      if (subtree === undefined) continue
      subtrees.add(subtree)
      this.#want('tree', subtree, waiting)
    }
    this.#graph.record(id, 'sound', [...subtrees])
  }

  /** Undefined when it cannot be read; the reason becomes a gap. */
  async #read(id: string, signal: AbortSignal): Promise<readonly TreeNode[] | undefined> {
    try {
      return decodeTree(await this.#from.loadBlob('tree', id, signal))
    } catch (thrown) {
      signal.throwIfAborted()
      if (!(thrown instanceof AppError) || (thrown.kind !== 'damaged' && thrown.kind !== 'missing')) throw thrown
      this.gaps.push({ type: 'tree', id, reason: thrown.message })
      return undefined
    }
  }

  #want(type: BlobType, id: string, waiting: string[]): void {
    const seen = this.#seen[type]
    const before = seen.size
    if (seen.add(id) < before) return
    if (type === 'tree') waiting.push(id)
    if (this.#to.index.has(type, id)) return
    const [place] = this.#from.index.find(type, id)
    if (place) this.wanted.add(type, id, place)
    else if (type === 'data') this.gaps.push({ type, id, reason: 'no index of the source names it' })
  }
}
