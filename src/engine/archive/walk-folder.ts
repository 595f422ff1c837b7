import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Directory } from '../filesystem/directory.ts'
import type { Status } from '../filesystem/status.ts'
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
    return await this.#walk({ part, directory, path: '', depth: 0, isWhole, taken, open }, names)
  }

  async #walk(visit: Visit, names: Buffer[]): Promise<Uint8Array | undefined> {
    if (visit.depth % stackedFolders === stackedFolders - 1) await Promise.resolve()
    names.sort(compareNames)
    const walked = new Map<string, Walked>()
    const kept = await this.#tryToKeep(visit, names, walked)
    if (kept) return kept
    await this.#open(visit)
    for (const name of names) {
      const text = latin1(name)
      if (visit.taken?.has(text)) continue
      try {
        const known = walked.get(text)
        if (known) this.#addKept(visit, name, known)
        else await this.#take(visit, name, text)
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
   * was, or must be looked at whatever the memory says.
   *
   * @param walked - gets the sub-folders that have been walked by then.
   * @returns the id of the tree that the folder keeps.
   */
  async #tryToKeep(
    visit: Visit,
    names: readonly Buffer[],
    walked: Map<string, Walked>,
  ): Promise<Uint8Array | undefined> {
    if (!visit.isWhole || !this.#memory) return undefined
    const seen = await this.#look(visit, names)
    if (!seen) return undefined
    if (!(await this.#walkBelow(visit, seen.folders, walked))) return undefined
    let kept = 0
    this.#digest.clear()
    for (const { name, text, status } of seen.folders) {
      const { keptTree } = walked.get(text)!
      if (!keptTree) continue
      this.#digest.add(name, status, keptTree)
      kept++
    }
    const digest = this.#digest.finish(seen.digest)
    const tree = this.#memory.treeOf(digest)
    if (!tree || !this.#tools.trees.keep(digest, tree, kept)) return undefined
    this.#tools.entries.keep(seen.files, seen.bytes)
    for (const path of seen.sockets) this.#tools.report(socketFinding(shownAt(visit.part.at, path)))
    visit.directory[Symbol.dispose]()
    return tree
  }

  /** What lies in the folder; undefined when something of it is a reason to open it. */
  async #look({ part, directory, path: above }: Visit, names: readonly Buffer[]): Promise<Seen | undefined> {
    const { entries } = this.#tools
    const digest = this.#digest.clear()
    const sockets: string[] = []
    const folders: SeenFolder[] = []
    let [files, bytes] = [0, 0]
    for (const name of names) {
      const text = latin1(name)
      const path = above + text
      const status = findStatus(directory, name)
      if (!status) return undefined
      if (part.leaveOut?.(path, status.type)) continue
      if (entries.isRecent(status) || part.replace?.has(path)) return undefined
      if (status.type === 'dir') folders.push({ name, text, status })
      else if (status.type === 'socket') sockets.push(path)
      else digest.add(name, status)
      if (status.type === 'file') {
        files++
        bytes += status.size
      }
      if (this.#isOverdue) await this.#letOthersWork()
    }
    return { folders, sockets, files, bytes, digest: digest.takeEntries() }
  }

  /** @returns whether all sub-folders kept their trees, or could not be read, which the digest shows. */
  async #walkBelow(visit: Visit, folders: readonly SeenFolder[], walked: Map<string, Walked>): Promise<boolean> {
    let allKept = true
    for (const { name, text, status } of folders) {
      walked.set(text, { status })
      try {
        const keptTree = await this.#walkChild(visit, name, text, status)
        walked.set(text, { status, keptTree })
        allKept &&= keptTree !== undefined
      } catch (thrown) {
        this.#reportEntry(visit, text, thrown)
      }
      if (this.#isOverdue) await this.#letOthersWork()
    }
    return allKept
  }

  /** An entry of a folder that is opened. */
  async #take(visit: Visit, name: Buffer, text: string): Promise<void> {
    const { part, directory } = visit
    const path = visit.path + text
    const status = directory.status(name)
    if (part.leaveOut?.(path, status.type)) return
    if (status.type !== 'dir') return this.#tools.entries.takeEntry(part, visit.opened!, name, path, status)
    const keptTree = await this.#walkChild(visit, name, text, status)
    this.#addKept(visit, name, { status, keptTree })
  }

  /** @returns the tree that it keeps; undefined when it is in its parent. */
  async #walkChild(above: Visit, name: Buffer, text: string, status: Status): Promise<Uint8Array | undefined> {
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
      return await this.#walk(visit, directory.names())
    } catch (thrown) {
      if (!visit.opened) directory[Symbol.dispose]()
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
    const node = entries.nodeOf(above.directory, name, status, before)
    return new OpenFolder(node, parent, await parentTrees.load(before?.subtree), directory)
  }

  #addKept(visit: Visit, name: Buffer, { status, keptTree }: Walked): void {
    if (!keptTree) return
    const folder = visit.opened!
    const node = this.#tools.entries.nodeOf(visit.directory, name, status, nodeBefore(folder, name))
    this.#tools.trees.attach(folder, node, Buffer.from(keptTree).toString('hex'))
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

/** What lies in a folder that is perhaps as it was. */
interface Seen {
  readonly folders: readonly SeenFolder[]
  /** Paths relative to the part. */
  readonly sockets: readonly string[]
  readonly files: number
  readonly bytes: number
  /** Of all that is no folder. */
  readonly digest: Uint8Array | undefined
}

/** Undefined when it has no status, for whatever reason. */
function findStatus(directory: Directory, name: Buffer): Status | undefined {
  try {
    return directory.status(name)
  } catch (thrown) {
    if (!isAboutEntry(thrown)) throw thrown
    return undefined
  }
}
