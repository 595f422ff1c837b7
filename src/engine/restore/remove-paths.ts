import { systemCode, textOf } from '#base'
import { Directory, splitPath } from '../filesystem/directory.ts'
import { showPath } from './selection.ts'

export interface RemovedPaths {
  readonly removed: number
  /** What stays, and why. */
  readonly failed: readonly { readonly path: string; readonly text: string }[]
}

/**
 * Removes entries below a folder, each by its name in the open folder above it, so that no link leads elsewhere. Folders go only
 * when nothing is left in them. What is not there any more is no failure.
 *
 * @param target - absolute. @param paths - below it, raw bytes, parts joined by slashes; in any order.
 */
export async function removePaths(
  target: string,
  paths: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<RemovedPaths> {
  const failed: { path: string; text: string }[] = []
  let removed = 0
  using root = openOrNone(target)
  if (!root) return { removed, failed }
  // From the deepest up, so that a folder is empty when its turn comes.
  const byDepth = paths.map(splitPath).toSorted((a, b) => b.length - a.length)
  for (const names of byDepth) {
    signal?.throwIfAborted()
    try {
      if (remove(root, names)) removed++
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown
      failed.push({ path: showPath(names), text: textOf(thrown) })
    }
  }
  return { removed, failed }
}

function remove(root: Directory, names: readonly Uint8Array[]): boolean {
  using folders = new DisposableStack()
  let folder = root
  for (const name of names.slice(0, -1)) {
    if (folder.findStatus(name)?.type !== 'dir') return false
    folder = folders.use(folder.openChild(name))
  }
  const name = names.at(-1)
  const status = name && folder.findStatus(name)
  if (!name || !status) return false
  if (status.type !== 'dir') {
    folder.unlink(name)
    return true
  }
  try {
    folder.removeDirectory(name)
    return true
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOTEMPTY' || systemCode(thrown) === 'EEXIST') return false
    throw thrown
  }
}

function openOrNone(target: string): Directory | undefined {
  try {
    return Directory.open(target)
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}
