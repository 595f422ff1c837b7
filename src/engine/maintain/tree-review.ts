import { AppError } from '#base'
import { quoteName } from '../format/name.ts'
import type { TreeNode } from '../format/tree-node.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import type { TreeFault } from './examine-tree.ts'
import type { Findings } from './finding.ts'
import { TreeGraph } from './tree-graph.ts'
import type { TreeReport } from './verify-pack.ts'

/** Folders of a path that are named; what is above them is shown as `…`. */
const deepest = 256
/** Paths take reading trees again, so of a repository that is broken through and through only so many are looked up. */
const mostPaths = 2000

/** Puts together what was seen in trees: where in which snapshots it shows, and which of them are damaged by it. */
export class TreeReview {
  readonly #graph = new TreeGraph()
  readonly #faults = new Map<string, readonly TreeFault[]>()
  readonly #load: (id: string, signal?: AbortSignal) => Promise<readonly TreeNode[]>
  readonly #snapshotOf = new Map<number, string>()
  readonly #paths = new Map<number, string>()

  /** @param load - reads a tree again, for the names in it. */
  constructor(load: (id: string, signal?: AbortSignal) => Promise<readonly TreeNode[]>) {
    this.#load = load
  }

  /** How many trees the snapshots reach. */
  get reached(): number {
    return this.#graph.reachedCount
  }

  take({ id, subtrees, faults }: TreeReport): void {
    const isDamaged = faults.some(({ severity }) => severity === 'damage')
    this.#graph.record(id, isDamaged ? 'faulty' : 'sound', subtrees)
    if (faults.length > 0) this.#faults.set(id, faults)
  }

  /** No copy of this tree can be read. */
  lost(id: string): void {
    this.#graph.recordLost(id)
  }

  /**
   * Tells what concerns the snapshots, each thing once and where the newest of them shows it.
   *
   * @param snapshots - newest first.
   * @returns hex ids of those that cannot be restored whole.
   */
  async judge(snapshots: readonly StoredSnapshot[], findings: Findings, signal?: AbortSignal): Promise<string[]> {
    for (const { id, snapshot } of snapshots) {
      const root = this.#graph.number(snapshot.tree)
      if (!this.#graph.isReached(root)) this.#snapshotOf.set(root, id)
      this.#graph.reach(snapshot.tree)
    }
    await this.#tellFaults(findings, signal)
    const tainted = this.#graph.tainted()
    const damaged = snapshots.filter(({ snapshot }) => tainted.has(this.#graph.number(snapshot.tree)))
    for (const { id } of damaged) findings.add('damage', `snapshot ${id.slice(0, 10)}`, 'cannot be restored whole')
    return damaged.map(({ id }) => id)
  }

  async #tellFaults(findings: Findings, signal?: AbortSignal): Promise<void> {
    const told = new Map<string, TreeFault & { readonly subject: string; count: number }>()
    const mayBeFaulty = this.#faults.size === 0 ? this.#graph.reachedBut('sound') : this.#graph.reachedBut()
    for (const tree of mayBeFaulty) {
      const faults = this.#faultsOf(tree)
      if (faults.length === 0) continue
      const { snapshot, folder } = await this.#placeOf(tree, signal)
      for (const fault of faults) {
        const path = fault.name === undefined ? folder || '/' : `${folder}/${fault.name}`
        const key = `${path}\0${fault.text}`
        const known = told.get(key)
        if (known) known.count++
        else told.set(key, { ...fault, subject: `snapshot ${snapshot}: ${path}`, count: 1 })
      }
    }
    for (const { severity, subject, text, count } of told.values()) {
      findings.add(
        severity,
        subject,
        count === 1 ? text : `${text}; the same in ${count - 1} older states of its folder`,
      )
    }
  }

  #faultsOf(tree: number): readonly TreeFault[] {
    const id = this.#graph.idOf(tree)
    const state = this.#graph.state(tree)
    const name = `its tree ${id.slice(0, 10)}`
    if (state === 'unknown') return [{ severity: 'damage', text: `cannot be restored: ${name} is in no index` }]
    if (state === 'lost') return [{ severity: 'damage', text: `cannot be restored: ${name} cannot be read` }]
    return this.#faults.get(id) ?? []
  }

  /** The snapshot through which a tree was reached, and the path of its folder there, without a slash at its end. */
  async #placeOf(tree: number, signal?: AbortSignal): Promise<{ snapshot: string; folder: string }> {
    const way = [...this.#graph.ancestors(tree, deepest)]
    const root = this.#graph.rootOf(tree)
    let folder = way.at(-1) === root ? '' : '/…'
    for (let step = way.length - 2; step >= 0; step--) {
      const below = way[step]!
      const known = this.#paths.get(below)
      folder = known ?? `${folder}/${await this.#nameIn(way[step + 1]!, below, signal)}`
      this.#paths.set(below, folder)
    }
    return { snapshot: this.#snapshotOf.get(root)!.slice(0, 10), folder }
  }

  /** The quoted name of a subtree; its id when the tree that names it cannot be read again. */
  async #nameIn(tree: number, subtree: number, signal?: AbortSignal): Promise<string> {
    const id = this.#graph.idOf(subtree)
    if (this.#paths.size >= mostPaths) return `tree ${id.slice(0, 10)}`
    try {
      const nodes = await this.#load(this.#graph.idOf(tree), signal)
      return quoteName(nodes.find((node) => node.subtree === id)!.name)
    } catch (thrown) {
      signal?.throwIfAborted()
      if (!(thrown instanceof AppError)) throw thrown
      return `tree ${id.slice(0, 10)}`
    }
  }
}
