import { setImmediate as nextTurn } from 'node:timers/promises'

import { systemCode } from '#base'
import { entryAction } from './layout.ts'
import { removeEntry } from './remove-entry.ts'
import type { RestoreState } from './restore-state.ts'
import type { Stage } from './stage.ts'
import { giveName, reasonOf } from './write-files.ts'

/** Names that are given before other work of the process goes on. */
const atOnce = 500

/** Gives everything that waits its name: folders that were not there with all that is in them, then entry by entry. */
export async function placeStaged(state: RestoreState, stage: Stage, signal?: AbortSignal): Promise<void> {
  const { layout } = state.plan
  for (const folder of stage.folders()) {
    const directory = state.folders.acquire(layout.folders.get(folder, 'parent'))
    if (!directory) continue
    try {
      giveName(directory, stage.nameOfFolder(folder)!, layout.recordOfFolder(folder).name, true)
      stage.dropFolder(folder)
    } catch (thrown) {
      const text = `the folder, and what lies below it, could not be restored: ${reasonOf(thrown)}`
      state.find('failed', layout.showFolder(folder), text)
      state.identities[folder * 2] = 0n // because what has its name gets no metadata of it
    } finally {
      state.folders.release(layout.folders.get(folder, 'parent'))
    }
  }
  let placed = 0
  for (const entry of stage.entries()) {
    placeEntry(state, stage, entry)
    if (++placed % atOnce > 0) continue
    state.report()
    await nextTurn()
    signal?.throwIfAborted()
  }
}

function placeEntry(state: RestoreState, stage: Stage, entry: number): void {
  const { layout } = state.plan
  const folder = layout.entries.get(entry, 'folder')
  const directory = state.folders.acquire(folder)
  if (!directory) return
  try {
    const isNew = layout.entries.get(entry, 'action') === entryAction.create
    giveName(directory, stage.nameOfEntry(entry)!, layout.recordOfEntry(entry).name, isNew)
    stage.dropEntry(entry)
  } catch (thrown) {
    state.files--
    state.settled--
    state.fail(entry, 'failed', reasonOf(thrown))
  } finally {
    state.folders.release(folder)
  }
}

/** Removes what still waits. */
export function clearStage(state: RestoreState, stage: Stage): void {
  const { layout } = state.plan
  state.partial.removeAll()
  const remove = (folder: number, name: Uint8Array): void => {
    const directory = state.folders.acquire(folder)
    if (!directory) return
    try {
      removeEntry(directory, name)
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown // because what cannot be removed is no news now
    }
    state.folders.release(folder)
  }
  for (const entry of stage.entries()) remove(layout.entries.get(entry, 'folder'), stage.nameOfEntry(entry)!)
  for (const folder of stage.folders()) remove(layout.folders.get(folder, 'parent'), stage.nameOfFolder(folder)!)
}
