import { OpenFolders } from './open-folders.ts'
import { removeEntry } from './remove-entry.ts'
import type { RestorePlan } from './restore-plan.ts'
import { openTarget, removeWaitingTarget } from './target.ts'
import { isTemporaryName } from './write-files.ts'

/**
 * Removes what restores that were killed have left beside the places of files and folders, and nothing else.
 *
 * @param plan - of a request with `sweep`. @throws `restore.target-unusable`, and what the file system throws.
 */
export async function removeLeftBehind({ target, layout }: RestorePlan): Promise<void> {
  removeWaitingTarget(target)
  using root = openTarget(target, 'overwrite')
  if (!root) return
  using folders = new OpenFolders(layout, root, { failed: () => {} })
  for (const { folder, name } of layout.removals) {
    const directory = isTemporaryName(name) ? folders.acquire(folder) : undefined
    if (!directory) continue
    removeEntry(directory, name)
    folders.release(folder)
  }
}
