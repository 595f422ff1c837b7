import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Directory } from '../filesystem/directory.ts'
import { readStatus, typeInBuffer, statusWord, statusWords, type Status } from '../filesystem/status.ts'
import { compareNames } from '../format/tree-node.ts'
import { latin1, nodeBefore, OpenFolder, type TreeBuilder } from './build-tree.ts'
import type { FolderPart } from './entry.ts'
import { type ArchiveFinding, findingOf, isAboutEntry } from './findings.ts'
import { FolderDigest } from './folder-digest.ts'
import type { FolderMemory } from './folder-memory.ts'
import type { ParentTrees } from './parent-trees.ts'
import { shownAt, socketFinding, type EntryTaker } from './take-entries.ts'

/** The walk lets other work of the process go on after this time. */
const turnMs = 8
/** Folders below one another that are walked without letting the stack unwind. */
const stackedFolders = 50
/** Entries that are looked at in one go. */
const entriesAtOnce = 500

/** A folder on disk that is being walked. It is opened in the new snapshot only when something in it changed. */
interface Visit {
  readonly part: FolderPart
  readonly directory: Directory
  /** Relative to the part: '' or ending in a slash; latin1, as `leaveOut` gets it. */
  readonly path: string
  readonly depth: number
  /** Its folder in the snapshot holds nothing else than what lies on disk. */
  readonly isWhole: boolean
  /** Names in it that something else stands for, latin1. */
  readonly taken?: ReadonlySet<string>
  readonly open: () => Promise<OpenFolder>
  opened?: OpenFolder
}

/** A folder that was walked before the one it is in was opened: how it ended. */
interface Walked {
  readonly status: Status
  /** Absent when it is in its parent already, or cannot be. */
  readonly keptTree?: Uint8Array | undefined
}

/** A part that is to be walked. */
export interface PartWalk {
  readonly part: FolderPart
  /** Closed by the walk, or with the folder that `open` makes. */
  readonly directory: Directory
  readonly names: Buffer[]
  /** Names in it that other parts stand for, latin1. */
  readonly taken: ReadonlySet<string>
  /** Its folder in the snapshot holds nothing else than what lies on disk. */
  readonly isWhole: boolean
  /** Makes its folder in the snapshot; called once, if something in it changed. */
  readonly open: () => Promise<OpenFolder>
}

/** What the folders of one backup are walked with. */
export interface WalkTools {
  readonly trees: TreeBuilder
  readonly parentTrees: ParentTrees
  readonly entries: EntryTaker
  readonly report: (finding: ArchiveFinding) => void
  /** Waits until more can be taken. */
  readonly room: () => Promise<void>
}

/**
 * Walks folders on disk. One in which all is as the memory has it keeps its tree, without a look at the parent
 * snapshot; for any other the tree of the parent is loaded, and that of each folder above it.
 */
export class FolderWalk {
  readonly #tools: WalkTools
  readonly #memory: FolderMemory | undefined
  readonly #digest = new FolderDigest()
  #turnBegan = performance.now()

  constructor(tools: WalkTools, memory: FolderMemory | undefined) {
    this.#tools = tools
    this.#memory = memory
  }

  /** A part and all below it. @returns the tree that it keeps, 32 bytes; undefined when it was opened. */
  async walkPart(walk: PartWalk): Promise<Uint8Array | undefined> {
    const { part, directory, names, taken, isWhole, open } = walk
    const visit: Visit = { part, directory, path: '', depth: 0, isWhole, taken, open }
    names.sort(compareNames)
    const seen = this.#beginLook(visit)
    if (seen) await this.#lookToEnd(visit, names, seen)
    return await this.#walk(visit, names, seen)
  }

  /** @param seen - what lies in it, when it was looked at. */
  async #walk(visit: Visit, names: readonly Buffer[], seen: Seen | undefined): Promise<Uint8Array | undefined> {
    if (visit.depth % stackedFolders === stackedFolders - 1) await Promise.resolve()
    const walked = new Map<string, Walked>()
    const kept = seen?.isDone && (await this.#tryToKeep(visit, seen, walked))
    if (kept) return kept
    await this.#open(visit)
    for (const name of names) {
      const text = latin1(name)
      if (visit.taken?.has(text)) continue
      try {
        const known = walked.get(text)
        const wait = known ? this.#addKept(visit, name, known) : this.#take(visit, name, text)
        if (wait) await wait
      } catch (thrown) {
        this.#reportEntry(visit, text, thrown)
      }
      if (this.#isOverdue) await this.#letOthersWork()
    }
    this.#tools.trees.settle(visit.opened!)
    return undefined
  }

  /**
   * Compares the folder with the memory, and walks its sub-folders for that. Gives up when something in it is not as it
   * was.
   *
   * @param walked - gets the sub-folders that have been walked by then.
   * @returns the id of the tree that the folder keeps.
   */
  async #tryToKeep(visit: Visit, seen: Seen, walked: Map<string, Walked>): Promise<Uint8Array | undefined> {
    if (!(await this.#walkBelow(visit, seen.folders, walked))) return undefined
    let kept = 0
    this.#digest.clear()
    for (const { name, text, status } of seen.folders) {
      const { keptTree } = walked.get(text)!
      if (!keptTree) continue
      this.#digest.add(name, status, keptTree)
      kept++
    }
    return this.#keep(visit, seen, kept)
  }

  /** Keeps a folder that holds what the memory has; the digest holds its sub-folders. @param folders - those kept. */
  #keep(visit: Visit, seen: Seen, folders: number): Uint8Array | undefined {
    const digest = this.#digest.finish(seen.digest)
    const tree = this.#memory!.treeOf(digest)
    if (!tree || !this.#tools.trees.keep(digest, tree, folders)) return undefined
    this.#tools.entries.keep(seen.files, seen.bytes)
    for (const path of seen.sockets) this.#tools.report(socketFinding(shownAt(visit.part.at, path)))
    visit.directory[Symbol.dispose]()
    return tree
  }

  /** What is to be known of a folder before it is perhaps kept; undefined when it cannot be. */
  #beginLook(visit: Visit): Seen | undefined {
    if (!visit.isWhole || !this.#memory) return undefined
    this.#digest.clear()
    return { folders: [], sockets: [], files: 0, bytes: 0, upTo: 0, isDone: false, digest: undefined }
  }

  /**
   * Looks at the next entries of a folder; no other may be looked at until all of it was.
   *
   * @returns false when something in it must be looked at whatever the memory says.
   */
  #lookOn({ part, directory, path: above }: Visit, names: readonly Buffer[], seen: Seen): boolean {
    const { entries } = this.#tools
    const digest = this.#digest
    const end = Math.min(seen.upTo + entriesAtOnce, names.length)
    for (; seen.upTo < end; seen.upTo++) {
      const name = names[seen.upTo]!
      if (!fillStatus(directory, name)) return false
      const type = typeInBuffer()
      const text = part.leaveOut || part.replace || type === 'dir' || type === 'socket' ? latin1(name) : ''
      const path = above + text
      if (part.leaveOut?.(path, type)) continue
      if (entries.isRecentInBuffer || part.replace?.has(path)) return false
      if (type === 'dir') seen.folders.push({ name, text, status: readStatus() })
      else if (type === 'socket') seen.sockets.push(path)
      else digest.addFromBuffer(name, type)
      if (type === 'file') {
        seen.files++
        seen.bytes += statusWords[statusWord.size]! + statusWords[statusWord.size + 1]! * 2 ** 32
      }
    }
    if (end < names.length) return true
    seen.digest = digest.takeEntries()
    seen.isDone = true
    return true
  }

  /** The rest of a look that has begun. */
  async #lookToEnd(visit: Visit, names: readonly Buffer[], seen: Seen): Promise<void> {
    while (!seen.isDone && this.#lookOn(visit, names, seen)) if (this.#isOverdue) await this.#letOthersWork()
  }

  /** @returns whether all sub-folders kept their trees, or could not be read, which the digest shows. */
  async #walkBelow(visit: Visit, folders: readonly SeenFolder[], walked: Map<string, Walked>): Promise<boolean> {
    let allKept = true
    for (const { name, text, status } of folders) {
      walked.set(text, { status })
      try {
        const outcome = this.#walkChild(visit, name, text, status)
        const keptTree = outcome instanceof Uint8Array ? outcome : await outcome
        walked.set(text, { status, keptTree })
        allKept &&= keptTree !== undefined
      } catch (thrown) {
        this.#reportEntry(visit, text, thrown)
      }
      if (this.#isOverdue) await this.#letOthersWork()
    }
    return allKept
  }

  /** An entry of a folder that is opened. @returns what is to be waited for. */
  #take(visit: Visit, name: Buffer, text: string): Promise<void> | undefined {
    const { part, directory } = visit
    const path = visit.path + text
    const status = directory.status(name)
    if (part.leaveOut?.(path, status.type)) return undefined
    if (status.type === 'dir') return this.#takeFolder(visit, name, text, status)
    return this.#tools.entries.takeEntry(part, visit.opened!, name, path, status)
  }

  async #takeFolder(visit: Visit, name: Buffer, text: string, status: Status): Promise<void> {
    const keptTree = await this.#walkChild(visit, name, text, status)
    this.#addKept(visit, name, { status, keptTree })
  }

  /** @returns the tree that it keeps, at once where nothing lies below it; undefined when it is in its parent. */
  #walkChild(above: Visit, name: Buffer, text: string, status: Status): Uint8Array | Promise<Uint8Array | undefined> {
    const { part, depth } = above
    const path = `${above.path}${text}/`
    const directory = above.directory.openChild(name)
    const visit: Visit = {
      part,
      directory,
      path,
      depth: depth + 1,
      isWhole: true,
      open: () => this.#openChild(directory, above, name, status),
    }
    try {
      const names = directory.names().sort(compareNames)
      const seen = this.#beginLook(visit)
      if (seen && this.#lookOn(visit, names, seen)) {
        const kept = seen.isDone && seen.folders.length === 0 ? this.#keep(visit, seen, 0) : undefined
        return kept ?? this.#walkOn(visit, names, seen)
      }
      return this.#walkOn(visit, names, undefined)
    } catch (thrown) {
      directory[Symbol.dispose]()
      throw thrown
    }
  }

  async #walkOn(visit: Visit, names: readonly Buffer[], seen: Seen | undefined): Promise<Uint8Array | undefined> {
    try {
      if (seen) await this.#lookToEnd(visit, names, seen)
      return await this.#walk(visit, names, seen)
    } catch (thrown) {
      if (!visit.opened) visit.directory[Symbol.dispose]()
      throw thrown
    }
  }

  async #open(visit: Visit): Promise<OpenFolder> {
    if (!visit.opened) {
      visit.opened = await visit.open()
      visit.opened.isWhole = visit.isWhole
    }
    return visit.opened
  }

  async #openChild(directory: Directory, above: Visit, name: Buffer, status: Status): Promise<OpenFolder> {
    const parent = await this.#open(above)
    const { entries, parentTrees } = this.#tools
    const before = nodeBefore(parent, name)
    const node = entries.folderNodeOf(directory, name, status, before)
    return new OpenFolder(node, parent, await parentTrees.load(before?.subtree), directory)
  }

  #addKept(visit: Visit, name: Buffer, { status, keptTree }: Walked): undefined {
    if (!keptTree) return undefined
    const folder = visit.opened!
    const node = this.#tools.entries.nodeOf(visit.directory, name, status, nodeBefore(folder, name))
    this.#tools.trees.attach(folder, node, Buffer.from(keptTree).toString('hex'))
    return undefined
  }

  #reportEntry(visit: Visit, text: string, thrown: unknown): void {
    if (!isAboutEntry(thrown)) throw thrown
    this.#tools.report(findingOf(shownAt(visit.part.at, visit.path + text), thrown))
  }

  get #isOverdue(): boolean {
    return performance.now() - this.#turnBegan > turnMs
  }

  async #letOthersWork(): Promise<void> {
    await nextTurn()
    await this.#tools.room()
    this.#turnBegan = performance.now()
  }
}

interface SeenFolder {
  readonly name: Buffer
  readonly text: string
  readonly status: Status
}

/** What lies in a folder that is perhaps as it was, as far as it was looked at. */
interface Seen {
  readonly folders: SeenFolder[]
  /** Paths relative to the part. */
  readonly sockets: string[]
  files: number
  bytes: number
  /** Of the next name. */
  upTo: number
  isDone: boolean
  /** Of all that is no folder; there when all was seen. */
  digest: Uint8Array | undefined
}

/** False when it has no status, for whatever reason. */
function fillStatus(directory: Directory, name: Buffer): boolean {
  try {
    directory.fillStatus(name)
    return true
  } catch (thrown) {
    if (!isAboutEntry(thrown)) throw thrown
    return false
  }
}
