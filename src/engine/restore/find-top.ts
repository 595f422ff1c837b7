import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import { restoreError } from './errors.ts'
import { showPath } from './selection.ts'
import type { BlobSource } from './source.ts'

/** Where a restore begins in the snapshot. */
export interface Top {
  readonly tree: string
  /** The folder that becomes the target; undefined for the top of the snapshot, which has no metadata. */
  readonly node?: TreeNode
}

/** @throws `restore.path-missing` when a folder on the way is not there. */
export async function findTop(
  source: BlobSource,
  tree: string,
  strip: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<Top> {
  let top: Top = { tree }
  for (const [depth, name] of strip.entries()) {
    const nodes = decodeTree(await source.loadBlob('tree', top.tree, signal))
    const node = nodes.find((node) => Buffer.compare(node.name, name) === 0)
    if (node?.type !== 'dir' || node.subtree === undefined) {
      throw restoreError('restore.path-missing', { path: `folder ${showPath(strip.slice(0, depth + 1))}` })
    }
    top = { tree: node.subtree, node }
  }
  return top
}
