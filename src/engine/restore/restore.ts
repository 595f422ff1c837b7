import { textOf } from '#base'
import { quoteName } from '../format/name.ts'
import { Crew } from './crew.ts'
import type { RestoreFinding } from './finding.ts'
import { linkEntries } from './link-entries.ts'
import { clearStage, placeStaged } from './place-staged.ts'
import { removeEntry } from './remove-entry.ts'
import type { RestorePlan } from './restore-plan.ts'
import { RestoreState, type RestoreProgress, type RestoreResult } from './restore-state.ts'
import { leaveFolders, settleUnchanged, syncTarget } from './settle-entries.ts'
import type { BlobSource } from './source.ts'
import { isStageable, Stage } from './stage.ts'
import { Target } from './target.ts'
import { writeContents } from './write-contents.ts'

export type { RestoreProgress, RestoreResult } from './restore-state.ts'

/** Files, and bytes, from which on threads are worth their start. */
const manyFiles = 64
const manyBytes = 2 ** 23

export interface PerformOptions {
  readonly progress?: (progress: RestoreProgress) => void
  /**
   * Awaited before anything is changed that is there, and before anything has its name: everything lies beside its place by then,
   * whole and durable. When it rejects, or the signal is raised meanwhile, that is removed again. It takes the room of both, and a plan
   * that `canWait`.
   *
   * @param findings - what will not be there, and why.
   */
  readonly beforeChange?: (findings: readonly RestoreFinding[]) => Promise<void>
}

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
  options: PerformOptions = {},
  signal?: AbortSignal,
): Promise<RestoreResult> {
  signal?.throwIfAborted()
  const { beforeChange, progress } = options
  if (beforeChange && !isStageable(plan.layout)) throw new Error('this plan cannot wait beside its place')
  using target = Target.make(plan.target, plan.existing, { waits: beforeChange !== undefined })
  await using crew = new Crew(source.key)
  const stage = beforeChange && new Stage(plan.layout)
  using state = new RestoreState(source, plan, crew, target.root, { stage, ...(progress && { progress }) })
  let isPlaced = false
  using clearing = new DisposableStack()
  clearing.defer(() => {
    if (stage) clearStage(state, stage)
    if (stage && !isPlaced) state.resetTimes()
  })
  if (plan.layout.entries.length >= manyFiles || plan.bytes >= manyBytes) crew.hire()
  if (stage) {
    await makeContents(state, signal)
    signal?.throwIfAborted()
    state.resetTimes()
    await syncTarget(state)
    await beforeChange(state.result().findings)
    signal?.throwIfAborted()
    target.place()
    isPlaced = true
  }
  await settleUnchanged(state, signal)
  removeEntries(state, true)
  if (stage) await placeStaged(state, stage, signal)
  else await makeContents(state, signal)
  await finish(state, signal)
  return state.result()
}

async function makeContents(state: RestoreState, signal?: AbortSignal): Promise<void> {
  await writeContents(state, signal)
  state.makeFolders()
}

/**
 * Files that stay came first, because whatever happens to another name of one shows on it; then what was in the way, and contents.
 * Now other names of files, what is too much, and metadata of folders, from the deepest up.
 */
async function finish(state: RestoreState, signal?: AbortSignal): Promise<void> {
  linkEntries(state)
  signal?.throwIfAborted()
  removeEntries(state, false)
  if (state.plan.keepFolders) state.resetTimes()
  await leaveFolders(state, signal)
  await syncTarget(state)
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
