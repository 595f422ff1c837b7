import type { Directory } from '../filesystem/directory.ts'
import { entryAction, noLink } from './layout.ts'
import type { RestoreState } from './restore-state.ts'
import { reasonOf, temporaryName } from './write-files.ts'

/** Makes the other names of files that have several, once the files are there. */
export function linkEntries(state: RestoreState): void {
  const { layout } = state.plan
  for (let entry = 0; entry < layout.entries.length; entry++) {
    if (layout.entries.get(entry, 'link') !== noLink && state.isPlanned(entry)) linkEntry(state, entry)
  }
}

function linkEntry(state: RestoreState, entry: number): void {
  const { entries } = state.plan.layout
  const owner = entries.get(entry, 'link')
  if (state.failed.has(owner)) {
    return state.fail(entry, 'failed', 'it is another name of a file that could not be restored')
  }
  const [folder, ownersFolder] = [entries.get(entry, 'folder'), entries.get(owner, 'folder')]
  const directory = state.folders.acquire(folder)
  if (!directory) return
  const ownersDirectory = state.folders.acquire(ownersFolder)
  try {
    if (!ownersDirectory) throw new Error('it is another name of a file that could not be restored')
    if (linkTo(state, entry, directory, owner, ownersDirectory)) state.files++
    state.settled++
  } catch (thrown) {
    state.fail(entry, 'failed', reasonOf(thrown))
  } finally {
    state.folders.release(folder)
    if (ownersDirectory) state.folders.release(ownersFolder)
  }
}

/** @returns false when it was one file already. */
function linkTo(
  state: RestoreState,
  entry: number,
  directory: Directory,
  owner: number,
  ownersDirectory: Directory,
): boolean {
  const { layout } = state.plan
  const { name } = layout.recordOfEntry(entry)
  const ownersName = layout.recordOfEntry(owner).name
  if (layout.entries.get(entry, 'action') === entryAction.create) {
    directory.makeHardLink(ownersDirectory, ownersName, name)
    return true
  }
  // A rename between two names of one file does nothing and says nothing.
  if (directory.findStatus(name)?.inode === ownersDirectory.status(ownersName).inode) return false
  const temporary = Buffer.from(temporaryName())
  directory.makeHardLink(ownersDirectory, ownersName, temporary)
  try {
    directory.rename(temporary, directory, name)
  } catch (thrown) {
    directory.unlink(temporary)
    throw thrown
  }
  return true
}
