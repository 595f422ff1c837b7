import { AppError } from '#base'
import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import type { Repository } from '../repository/repository.ts'
import { type Before, latin1 } from './build-tree.ts'
import type { ArchiveFinding } from './findings.ts'

/** The trees of the parent snapshot. One that cannot be read is reported, and what is below it counts as new. */
export class ParentTrees {
  readonly #repository: Repository
  readonly #report: (finding: ArchiveFinding) => void
  readonly #signal: AbortSignal

  constructor(repository: Repository, report: (finding: ArchiveFinding) => void, signal: AbortSignal) {
    this.#repository = repository
    this.#report = report
    this.#signal = signal
  }

  async load(treeId: string | undefined): Promise<Before | undefined> {
    if (!treeId) return undefined
    try {
      const nodes = new Map<string, TreeNode>()
      for (const node of decodeTree(await this.#repository.loadBlob('tree', treeId, this.#signal))) {
        nodes.set(latin1(node.name), node)
      }
      return { treeId, nodes }
    } catch (thrown) {
      if (!(thrown instanceof AppError) || (thrown.kind !== 'damaged' && thrown.kind !== 'missing')) throw thrown
      const text = `the parent snapshot is damaged: ${thrown.message}`
      this.#report({ path: '', code: 'parent-damaged', text })
      return undefined
    }
  }
}
