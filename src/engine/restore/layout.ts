import { bufferOf, readRecord, type NodeRecord } from './node-record.ts'
import { Rows } from './rows.ts'
import { showPath } from './selection.ts'
import type { FileIdentity } from './job.ts'

/** What becomes of a folder. */
export const folderState = {
  /** It is made. */
  create: 0,
  /** It is there and gets the metadata of the snapshot. */
  merge: 1,
  /** It is there and stays as it is, but for what is put into it. */
  pass: 2,
  /** What has its name and is no folder is removed, then it is made. */
  replace: 3,
} as const

/** What becomes of an entry that is no folder. */
export const entryAction = {
  create: 0,
  /** Made under another name, then renamed over what is there. */
  replace: 1,
  /** It is there with the same content: only its metadata is set. */
  unchanged: 2,
  /** It is there, whatever it is, and stays. */
  keep: 3,
} as const

export const noLink = 0xffff_ffff

/**
 * Everything that is to be restored, as tables of numbers over the bytes of the nodes. A million files take about 150 MB.
 *
 * Folder 0 is the target itself. Folders are in order of their depth, so that parents come before their children.
 */
export class Layout {
  /** Records of nodes, in as many pieces as they came. */
  readonly pieces: Buffer[] = []
  /** `piece` and `at`: where the record lies; the target has one only when it stands for a folder of the snapshot. */
  readonly folders = new Rows('parent', 'piece', 'at', 'state')
  /** `blobs`: how many writes fill it. `link`: the entry that it is another name of. */
  readonly entries = new Rows('folder', 'piece', 'at', 'action', 'blobs', 'link')
  /** One for each blob of each file; `index`: which one of the file. The position in the file has two halves. */
  readonly writes = new Rows('entry', 'index', 'pack', 'offset', 'length', 'plain', 'high', 'low')
  /** Hex ids in order of first use. */
  readonly packs: string[] = []
  /** Number of the first folder of each depth. */
  readonly levels: number[] = []
  /** Of entries that are unchanged. */
  readonly identities = new Map<number, FileIdentity>()
  /** Names that the snapshot does not hold, to be removed. */
  readonly removals: { readonly folder: number; readonly name: Uint8Array; readonly first: boolean }[] = []
  readonly #packNumbers = new Map<string, number>()

  addPiece(records: Uint8Array): number {
    return this.pieces.push(bufferOf(records)) - 1
  }

  packNumber(id: string): number {
    let number = this.#packNumbers.get(id)
    if (number === undefined) {
      number = this.packs.push(id) - 1
      this.#packNumbers.set(id, number)
    }
    return number
  }

  recordOfFolder(folder: number): NodeRecord {
    return readRecord(this.pieces[this.folders.get(folder, 'piece')]!, this.folders.get(folder, 'at'))
  }

  recordOfEntry(entry: number): NodeRecord {
    return readRecord(this.pieces[this.entries.get(entry, 'piece')]!, this.entries.get(entry, 'at'))
  }

  /** Names from the target to the folder. */
  pathOfFolder(folder: number): Uint8Array[] {
    const names: Uint8Array[] = []
    for (let at = folder; at !== 0; at = this.folders.get(at, 'parent')) names.push(this.recordOfFolder(at).name)
    return names.toReversed()
  }

  pathOfEntry(entry: number): Uint8Array[] {
    return [...this.pathOfFolder(this.entries.get(entry, 'folder')), this.recordOfEntry(entry).name]
  }

  showFolder(folder: number): string {
    return showPath(this.pathOfFolder(folder))
  }

  showEntry(entry: number): string {
    return showPath(this.pathOfEntry(entry))
  }
}
