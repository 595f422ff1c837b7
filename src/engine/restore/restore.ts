import { textOf } from '#base'
import { quoteName } from '../format/name.ts'
import { Crew } from './crew.ts'
import { linkEntries } from './link-entries.ts'
import { removeEntry } from './remove-entry.ts'
import type { RestorePlan } from './restore-plan.ts'
import { RestoreState, type RestoreProgress, type RestoreResult } from './restore-state.ts'
import { leaveFolders, settleUnchanged, syncTarget } from './settle-entries.ts'
import type { BlobSource } from './source.ts'
import { makeTarget } from './target.ts'
import { writeContents } from './write-contents.ts'

export type { RestoreProgress, RestoreResult } from './restore-state.ts'

/** Files, and bytes, from which on threads are worth their start. */
const manyFiles = 64
const manyBytes = 2 ** 23

/**
 * Does what a plan says, and makes it durable before it returns.
 *
 * Every blob is compared with its id before a byte of it is written. A file whose content cannot be had is not left there
 * under its name; the others are restored, and the findings say which are missing. Existing files are replaced by a rename:
 * whoever looks, also after a crash, sees the old one or the new one. Nothing is written outside the target, whatever the
 * snapshot says, and whatever stands there or is put there while this runs.
 *
 * Memory: a few times 8 MiB for each processor, besides the plan.
 *
 * @param source - the repository of the plan, its index loaded.
 * @throws `restore.target-taken` when the target was filled since the plan was made; `restore.target-unusable`;
 * `restore.target-full`; what the backend throws when it does not answer. Files begun are removed then.
 */
export async function performRestore(
  source: BlobSource,
  plan: RestorePlan,
  options: { readonly progress?: (progress: RestoreProgress) => void } = {},
  signal?: AbortSignal,
): Promise<RestoreResult> {
  signal?.throwIfAborted()
  using root = makeTarget(plan.target, plan.existing)
  await using crew = new Crew(source.key)
  using state = new RestoreState(source, plan, crew, root, options.progress)
  await perform(state, signal)
  return state.result()
}

/**
 * Files that stay come first, because whatever happens to another name of one shows on it; then what is in the way,
 * contents, other names of files, what is too much, and metadata of folders, from the deepest up.
 */
async function perform(state: RestoreState, signal?: AbortSignal): Promise<void> {
  const { layout, bytes } = state.plan
  if (layout.entries.length >= manyFiles || bytes >= manyBytes) state.crew.hire()
  await settleUnchanged(state, signal)
  removeEntries(state, true)
  await writeContents(state, signal)
  state.makeFolders()
  linkEntries(state)
  signal?.throwIfAborted()
  removeEntries(state, false)
  await leaveFolders(state, signal)
  syncTarget(state)
  state.report()
}

function removeEntries(state: RestoreState, first: boolean): void {
  const { layout } = state.plan
  for (const removal of layout.removals) {
    if (removal.first !== first) continue
    const directory = state.folders.acquire(removal.folder)
    if (!directory) continue
    try {
      removeEntry(directory, removal.name)
    } catch (thrown) {
      const path = [layout.showFolder(removal.folder), quoteName(removal.name)].filter(Boolean).join('/')
      state.find('failed', path, `could not be removed: ${textOf(thrown)}`)
    }
    state.folders.release(removal.folder)
  }
}
