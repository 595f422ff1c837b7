import { createHash } from 'node:crypto'

import { splitPath } from '../filesystem/directory.ts'
import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import type { Repository } from '../repository/repository.ts'
import { restoreError } from './errors.ts'
import { showPath } from './selection.ts'

export interface StreamedFile {
  /** Plain bytes. */
  readonly size: number
  /**
   * The bytes in order, each blob compared with its id before it is given out.
   *
   * @param sha256 - lower-case hex; after the last byte the whole is compared with it.
   * @throws `restore.checksum`; what the repository throws for a blob that cannot be read.
   */
  open(sha256?: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void>
}

/**
 * Finds one file of a snapshot, to be streamed. Memory: some megabytes.
 *
 * @param tree - hex id of the tree of the snapshot. @param path - from its top, parts joined by slashes.
 * @throws `restore.path-missing` when there is no such file.
 */
export async function findFile(
  source: Pick<Repository, 'loadBlob' | 'loadBlobs'>,
  tree: string,
  path: string | Uint8Array,
  signal?: AbortSignal,
): Promise<StreamedFile> {
  const names = splitPath(Buffer.from(path))
  let node: TreeNode | undefined
  let at: string | undefined = tree
  for (const name of names) {
    if (at === undefined) break
    node = decodeTree(await source.loadBlob('tree', at, signal)).find((one) => Buffer.compare(one.name, name) === 0)
    at = node?.subtree
  }
  if (!node || node.type !== 'file') throw restoreError('restore.path-missing', { path: `file ${showPath(names)}` })
  const { content = [], size } = node
  return { size, open: (sha256, stop) => stream(source, content, { path: showPath(names), sha256 }, stop) }
}

async function* stream(
  source: Pick<Repository, 'loadBlobs'>,
  content: readonly string[],
  { path, sha256 }: { readonly path: string; readonly sha256: string | undefined },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = sha256 === undefined ? undefined : createHash('sha256')
  for await (const bytes of source.loadBlobs('data', content, signal)) {
    hash?.update(bytes)
    yield bytes
  }
  if (hash && hash.digest('hex') !== sha256) throw restoreError('restore.checksum', { path })
}
