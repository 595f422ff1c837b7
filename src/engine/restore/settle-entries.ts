import { mapInOrder } from '#base'
import type { UnsetNotes } from './finding.ts'
import type { FileIdentity } from './job.ts'
import { folderState } from './layout.ts'
import { setMetadata } from './metadata.ts'
import { RecordWriter } from './node-record.ts'
import type { RestoreState } from './restore-state.ts'

/** Entries that one job settles. */
const entriesOfJob = 128

/** Gives files that have their content already their metadata. */
export async function settleUnchanged(state: RestoreState, signal?: AbortSignal): Promise<void> {
  const { layout } = state.plan
  const entries = layout.identities.keys().toArray()
  const settleBatch = async (batch: readonly number[]): Promise<void> => {
    const items = batch.map((entry) => ({
      parent: layout.entries.get(entry, 'folder'),
      piece: layout.entries.get(entry, 'piece'),
      at: layout.entries.get(entry, 'at'),
      identity: layout.identities.get(entry)!,
    }))
    await settle(state, items, {
      failed: (number, text) => state.fail(batch[number]!, 'failed', text),
      notes: state.notes,
      entryOf: (number) => batch[number]!,
    })
    state.settled += batch.length
  }
  for await (const _ of mapInOrder(batches(entries, signal), settleBatch, state.crew.jobsAhead)) state.report()
}

/** From the deepest up, because a folder's mode may shut out whoever is not root. */
export async function leaveFolders(state: RestoreState, signal?: AbortSignal): Promise<void> {
  const { layout, placesMetadata } = state.plan
  const ends = [...layout.levels.slice(1), layout.folders.length]
  for (let level = layout.levels.length - 1; level > 0; level--) {
    const folders: number[] = []
    for (let folder = layout.levels[level]!; folder < ends[level]!; folder++) {
      if (takesMetadata(state, folder) && state.identities[folder * 2] !== 0n) folders.push(folder)
    }
    const leave = async (batch: readonly number[]): Promise<void> => {
      const items = batch.map((folder) => ({
        parent: layout.folders.get(folder, 'parent'),
        piece: layout.folders.get(folder, 'piece'),
        at: layout.folders.get(folder, 'at'),
        identity: { inode: state.identities[folder * 2]!, ctimeNs: 0n, links: 0 },
      }))
      await settle(state, items, {
        failed: (number, text) => state.find('failed', layout.showFolder(batch[number]!), text),
        notes: state.folderNotes,
        entryOf: (number) => batch[number]!,
      })
    }
    for await (const _ of mapInOrder(batches(folders, signal), leave, state.crew.jobsAhead)) state.report()
  }
  if (placesMetadata && takesMetadata(state, 0)) {
    setMetadata(state.root.fd, layout.recordOfFolder(0), (what, code) => state.folderNotes.add(what, code, 0))
  }
}

/** A folder that was made up for the snapshot, to hold files from elsewhere, says nothing of one that is there. */
function takesMetadata(state: RestoreState, folder: number): boolean {
  const { layout, keepFolders } = state.plan
  const action = layout.folders.get(folder, 'state')
  if (action !== folderState.merge) return action !== folderState.pass
  return !keepFolders && layout.recordOfFolder(folder).inode !== 0n
}

async function settle(
  state: RestoreState,
  items: readonly {
    readonly parent: number
    readonly piece: number
    readonly at: number
    readonly identity: FileIdentity
  }[],
  outcome: {
    readonly failed: (number: number, text: string) => void
    readonly notes: UnsetNotes
    readonly entryOf: (number: number) => number
  },
): Promise<void> {
  const { layout } = state.plan
  const held = items.map((item) => state.folders.acquire(item.parent))
  const present = items
    .keys()
    .filter((number) => held[number] !== undefined)
    .toArray()
  const writer = new RecordWriter()
  for (const number of present) writer.copy(layout.pieces[items[number]!.piece]!, items[number]!.at)
  try {
    const result = await state.crew.run({
      kind: 'settle',
      records: writer.take(),
      folders: Int32Array.from(present, (number) => held[number]!.fd),
      identities: present.map((number) => items[number]!.identity),
    })
    for (const { file, text } of result.failed) outcome.failed(present[file]!, text)
    outcome.notes.merge(result.unset, (file) => outcome.entryOf(present[file]!))
  } finally {
    for (const number of present) state.folders.release(items[number]!.parent)
  }
}

/** Makes everything durable, on each file system that was written to; in a thread, because it takes as long as the disk needs. */
export async function syncTarget(state: RestoreState): Promise<void> {
  const ownDevice = state.root.ownStatus().deviceId
  const others = [...state.devices].filter(([device]) => device !== ownDevice).map(([, folder]) => folder)
  const held = others.map((folder) => ({ folder, directory: state.folders.acquire(folder) }))
  const open = held.flatMap(({ directory }) => directory?.fd ?? [])
  try {
    await state.crew.run({ kind: 'sync', folders: Int32Array.of(state.root.fd, ...open) })
  } finally {
    for (const { folder, directory } of held) if (directory) state.folders.release(folder)
  }
}

function* batches(items: readonly number[], signal?: AbortSignal): Generator<readonly number[], void, void> {
  for (let at = 0; at < items.length; at += entriesOfJob) {
    signal?.throwIfAborted()
    yield items.slice(at, at + entriesOfJob)
  }
}
