import type { RestoreFinding } from './finding.ts'
import { entryAction, folderState, type Layout } from './layout.ts'
import type { ExistingPolicy, PlannedChange } from './request.ts'
import { hasRoom, isStageable } from './stage.ts'
import { writesByPack } from './writes.ts'

export interface RestoreCounts {
  /** Folders to make, without the target. */
  readonly folders: number
  /** Files, links, fifos and devices to make where nothing is. */
  readonly created: number
  readonly overwritten: number
  readonly unchanged: number
  readonly kept: number
  /** Entries to remove, each with everything below it. */
  readonly removed: number
}

/** What restoring a snapshot would do. It holds for the target as it was looked at. */
export class RestorePlan {
  readonly target: Buffer
  readonly existing: ExistingPolicy
  readonly counts: RestoreCounts
  /** Plain bytes of the files to write. */
  readonly bytes: number
  /** Packs to read from. */
  readonly packs: number
  /** What of the snapshot cannot be restored, and why. */
  readonly findings: readonly RestoreFinding[]
  /** For `performRestore`. */
  readonly layout: Layout
  /** For `performRestore`: whether the target itself gets the metadata of a folder. */
  readonly placesMetadata: boolean
  /** For `performRestore`: whether folders that are there already stay as they are. */
  readonly keepFolders: boolean

  constructor(parts: {
    readonly target: Buffer
    readonly existing: ExistingPolicy
    readonly layout: Layout
    readonly findings: readonly RestoreFinding[]
    readonly bytes: number
    readonly placesMetadata: boolean
    readonly keepFolders: boolean
  }) {
    this.target = parts.target
    this.existing = parts.existing
    this.layout = parts.layout
    this.findings = parts.findings
    this.bytes = parts.bytes
    this.placesMetadata = parts.placesMetadata
    this.keepFolders = parts.keepFolders
    this.counts = count(parts.layout)
    this.packs = parts.layout.packs.length
  }

  /** Whether all of it can lie beside its place until `beforeChange` of `performRestore` has resolved, and there is room for both. */
  canWait(): boolean {
    return isStageable(this.layout) && hasRoom(this.target, this.bytes)
  }

  /** Bytes to read from each pack, by hex id; a blob that is wanted several times is read once. */
  *bytesByPack(): Generator<[string, number], void, void> {
    for (const writes of writesByPack(this.layout)) {
      const isFirst = (offset: number, position: number): boolean => writes[position - 1]?.offset !== offset
      const first = writes.filter(({ offset }, position) => isFirst(offset, position))
      yield [writes[0]!.packId, first.reduce((sum, { length }) => sum + length, 0)]
    }
  }

  /** Every change, or every one of a kind, one after the other; folders by depth, then the rest. */
  *changes(only?: PlannedChange['change']): Generator<PlannedChange, void, void> {
    const { layout } = this
    for (let folder = 1; folder < layout.folders.length; folder++) {
      const change = changeOfFolder(layout.folders.get(folder, 'state'))
      if (only && change !== only) continue
      yield { change, type: 'dir', path: joined(layout.pathOfFolder(folder)), size: 0 }
    }
    for (let entry = 0; entry < layout.entries.length; entry++) {
      const change = changeOfEntry(layout.entries.get(entry, 'action'))
      if (only && change !== only) continue
      const { type, size } = layout.recordOfEntry(entry)
      yield { change, type, path: joined(layout.pathOfEntry(entry)), size: type === 'file' ? size : 0 }
    }
    if (only && only !== 'remove') return
    for (const { folder, name } of layout.removals) {
      yield { change: 'remove', type: 'file', path: joined([...layout.pathOfFolder(folder), name]), size: 0 }
    }
  }
}

function count({ folders, entries, removals }: Layout): RestoreCounts {
  const counts = { folders: 0, created: 0, overwritten: 0, unchanged: 0, kept: 0, removed: removals.length }
  for (let folder = 1; folder < folders.length; folder++) {
    const state = folders.get(folder, 'state')
    if (state === folderState.create || state === folderState.replace) counts.folders++
  }
  for (let entry = 0; entry < entries.length; entry++) {
    const action = entries.get(entry, 'action')
    if (action === entryAction.create) counts.created++
    else if (action === entryAction.replace) counts.overwritten++
    else if (action === entryAction.unchanged) counts.unchanged++
    else counts.kept++
  }
  return counts
}

function changeOfFolder(state: number): PlannedChange['change'] {
  if (state === folderState.create) return 'create'
  if (state === folderState.replace) return 'overwrite'
  return state === folderState.merge ? 'unchanged' : 'keep'
}

function changeOfEntry(action: number): PlannedChange['change'] {
  if (action === entryAction.create) return 'create'
  if (action === entryAction.replace) return 'overwrite'
  return action === entryAction.unchanged ? 'unchanged' : 'keep'
}

function joined(names: readonly Uint8Array[]): Buffer {
  return Buffer.concat(names.flatMap((name, position) => (position === 0 ? [name] : [slash, name])))
}

const slash = Buffer.from('/')
