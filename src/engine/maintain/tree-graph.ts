import { IdTable } from './id-table.ts'
import { NumberList } from './number-list.ts'

/**
 * `unknown`: nobody has read it; `sound`; `faulty`: it was read, and something in it cannot be restored; `lost`: it cannot
 * be read.
 */
export type TreeState = 'unknown' | 'sound' | 'faulty' | 'lost'

const states = ['unknown', 'sound', 'faulty', 'lost'] as const
const none = 0xffff_ffff

/**
 * Which tree holds which, for all trees of a repository: about 56 bytes a tree and 4 for each subtree in it. Names stay in
 * the trees. Nothing here recurses, however deep the trees are.
 */
export class TreeGraph {
  readonly #ids = new IdTable()
  readonly #states = new NumberList()
  /** Where the subtrees of a tree begin in `#subtrees`, and how many there are. */
  readonly #starts = new NumberList()
  readonly #counts = new NumberList()
  readonly #subtrees = new NumberList()
  /** The tree through which a tree was reached first; itself for a root. */
  readonly #parents = new NumberList()
  readonly #reached = new NumberList()

  /** How many trees were reached. */
  get reachedCount(): number {
    return this.#reached.length
  }

  /** The number of a tree. `id`: hex. */
  number(id: string): number {
    const number = this.#ids.add(id)
    if (number === this.#states.length) {
      this.#states.push(0)
      this.#starts.push(0)
      this.#counts.push(0)
      this.#parents.push(none)
    }
    return number
  }

  idOf(tree: number): string {
    return this.#ids.idOf(tree)
  }

  state(tree: number): TreeState {
    return states[this.#states.get(tree)]!
  }

  /** Records what reading a tree gave; a copy that could be read counts more than one that could not. */
  record(id: string, state: 'sound' | 'faulty', subtrees: readonly string[]): void {
    const tree = this.number(id)
    const known = this.state(tree)
    if (known === 'sound' || known === 'faulty') return
    this.#states.set(tree, states.indexOf(state))
    this.#starts.set(tree, this.#subtrees.length)
    this.#counts.set(tree, subtrees.length)
    for (const subtree of subtrees) this.#subtrees.push(this.number(subtree))
  }

  recordLost(id: string): void {
    const tree = this.number(id)
    if (this.state(tree) === 'unknown') this.#states.set(tree, states.indexOf('lost'))
  }

  /** Marks a tree that was read as one in which something cannot be restored. */
  recordFault(tree: number): void {
    this.#states.set(tree, states.indexOf('faulty'))
  }

  /** Visits a tree and all below it that were not visited before. */
  reach(id: string): void {
    const root = this.number(id)
    if (this.isReached(root)) return
    this.#parents.set(root, root)
    const waiting = new NumberList()
    waiting.push(root)
    for (let tree = waiting.pop(); tree !== undefined; tree = waiting.pop()) {
      this.#reached.push(tree)
      for (const subtree of this.#subtreesOf(tree)) {
        if (this.isReached(subtree)) continue
        this.#parents.set(subtree, tree)
        waiting.push(subtree)
      }
    }
  }

  isReached(tree: number): boolean {
    return this.#parents.get(tree) !== none
  }

  /** The trees that were reached, in the order of the visit, without those in one of these states. */
  *reachedBut(...known: TreeState[]): Generator<number, void, void> {
    for (let position = 0; position < this.#reached.length; position++) {
      const tree = this.#reached.get(position)
      if (!known.includes(this.state(tree))) yield tree
    }
  }

  /** The way by which a tree was reached: itself first, a root last; at most `most` of them. */
  *ancestors(tree: number, most: number): Generator<number, void, void> {
    let current = tree
    for (let step = 0; step < most; step++) {
      yield current
      const parent = this.#parents.get(current)
      if (parent === current) return
      current = parent
    }
  }

  /** The root from which a tree was reached. */
  rootOf(tree: number): number {
    let current = tree
    for (;;) {
      const parent = this.#parents.get(current)
      if (parent === current) return current
      current = parent
    }
  }

  /** The reached trees that cannot be restored whole, because they or something below them is not sound. */
  tainted(): ReadonlySet<number> {
    const tainted = new Set<number>(this.reachedBut('sound'))
    if (tainted.size === 0) return tainted
    // In reverse order of the visit a tree mostly comes after its subtrees, so that few rounds are needed.
    for (let before = -1; before !== tainted.size;) {
      before = tainted.size
      for (let position = this.#reached.length - 1; position >= 0; position--) {
        const tree = this.#reached.get(position)
        if (!tainted.has(tree) && this.#subtreesOf(tree).some((subtree) => tainted.has(subtree))) tainted.add(tree)
      }
    }
    return tainted
  }

  #subtreesOf(tree: number): number[] {
    const start = this.#starts.get(tree)
    return Array.from({ length: this.#counts.get(tree) }, (_, nth) => this.#subtrees.get(start + nth))
  }
}
