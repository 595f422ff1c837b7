import { textOf } from '#base'
import { compareNames, type TreeNode } from '../format/tree-node.ts'
import { latin1, nodeBefore, OpenFolder } from './build-tree.ts'
import type { FolderReader, RemoteEntry, RemoteFilePart, RemoteFolderPart, RemoteStatus } from './entry.ts'
import { archiveError } from './errors.ts'
import { findingOf, isAboutEntry } from './findings.ts'
import { remoteNodeOf } from './remote-node.ts'
import type { RemoteReading } from './remote-reading.ts'
import { type EntryTools, lastName, shownAt, socketFinding, type EntryTaker } from './take-entries.ts'
import type { WalkTools } from './walk-folder.ts'

/**
 * A file elsewhere whose times are this close to its backup may have changed once more and look the same: the clock there
 * is known to within the time of a question, and SFTP alone tells whole seconds.
 */
const clockDoubtNs = 1_000_000_000n
const secondsDoubtNs = 3_000_000_000n

export interface RemoteWalkTools extends Pick<WalkTools, 'parentTrees' | 'room'> {
  readonly entryTools: EntryTools
  readonly entries: EntryTaker
  readonly reading: RemoteReading
}

/** A folder elsewhere that is open in the new snapshot. */
interface Visit {
  readonly part: RemoteFolderPart
  readonly folder: OpenFolder
  /** Absolute there. */
  readonly path: string
  /** Relative to the part: '' or ending in a slash. */
  readonly inPart: string
  readonly listed: readonly RemoteEntry[]
}

/** Walks folders that lie elsewhere, as `FolderWalk` does those on disk: the same nodes, comparisons and findings. */
export class RemoteWalk {
  readonly #tools: RemoteWalkTools

  constructor(tools: RemoteWalkTools) {
    this.#tools = tools
  }

  /** The part's own folder. @throws `archive.source-missing` when it cannot be listed. */
  async openPart(
    { reader, path }: RemoteFolderPart,
    name: Uint8Array,
  ): Promise<{ node: TreeNode; listed: readonly RemoteEntry[] }> {
    try {
      const [status] = await reader.status([joined(path, '.')]) // because a link to it is followed
      if (status instanceof Error) throw status
      return { node: remoteNodeOf(name, status!), listed: await reader.list(path) }
    } catch (thrown) {
      if (!isAboutEntry(thrown)) throw thrown
      const shown = Buffer.from(path, 'latin1').toString()
      throw archiveError('archive.source-missing', { path: shown, reason: textOf(thrown) }, thrown)
    }
  }

  /** Everything in a part, read to its end. @param taken - names in it that other parts stand for, latin1. */
  async walkPart(
    part: RemoteFolderPart,
    folder: OpenFolder,
    listed: readonly RemoteEntry[],
    taken: ReadonlySet<string>,
  ): Promise<void> {
    const own = listed.filter(({ name }) => !taken.has(latin1(name)))
    await this.#walk({ part, folder, path: part.path, inPart: '', listed: own })
    await this.#tools.reading.settle()
    for (const text of part.reader.takeProblems()) {
      this.#tools.entryTools.report({ path: part.at, code: 'unreadable', text })
    }
  }

  async takeFile({ at, reader, path }: RemoteFilePart, folder: OpenFolder): Promise<void> {
    const { report } = this.#tools.entryTools
    const [status] = await reader.status([path])
    if (status instanceof Error) return report(findingOf(at, status))
    if (status!.type === 'dir') {
      return report(findingOf(at, Object.assign(new Error('it is a folder'), { code: 'EISDIR', syscall: 'open' })))
    }
    await this.#takeEntry({ at, reader, path, name: lastName(at), status: status! }, folder)
    await this.#tools.reading.settle()
  }

  async #walk(visit: Visit): Promise<void> {
    const { part, folder } = visit
    for (const entry of inOrder(visit.listed)) {
      const name = latin1(entry.name)
      const inPart = visit.inPart + name
      if (part.leaveOut?.(inPart, entry.type)) continue
      const path = joined(visit.path, name)
      if (entry.type === 'dir') await this.#walkChild(visit, entry, path, inPart)
      else {
        const at = shownAt(part.at, inPart)
        await this.#takeEntry({ at, reader: part.reader, path, name: entry.name, status: entry }, folder, part, inPart)
      }
      await this.#tools.room()
    }
  }

  async #walkChild({ part, folder }: Visit, entry: RemoteEntry, path: string, inPart: string): Promise<void> {
    const { entryTools, parentTrees } = this.#tools
    let listed: readonly RemoteEntry[]
    try {
      listed = await part.reader.list(path)
    } catch (thrown) {
      if (!isAboutEntry(thrown)) throw thrown
      return entryTools.report(findingOf(shownAt(part.at, inPart), thrown))
    }
    const before = nodeBefore(folder, entry.name)
    const child = new OpenFolder(remoteNodeOf(entry.name, entry), folder, await parentTrees.load(before?.subtree))
    await this.#walk({ part, folder: child, path, inPart: `${inPart}/`, listed })
    entryTools.trees.settle(child)
  }

  async #takeEntry(found: Found, folder: OpenFolder, part?: RemoteFolderPart, inPart?: string): Promise<void> {
    const { entries, entryTools, reading } = this.#tools
    const { at, reader, path, name, status } = found
    if (status.type === 'socket') return entryTools.report(socketFinding(at))
    const before = nodeBefore(folder, name)
    const node = remoteNodeOf(name, status)
    if (status.type !== 'file') return entries.add(folder, node, before)
    const content = inPart === undefined ? undefined : part?.replace?.get(inPart)
    if (content) {
      const read = await entryTools.reading.readContent(at, content, entryTools.signal)
      if (read) entries.addFile(folder, { ...node, ...read }, before)
      return
    }
    if (before && this.#isUnchanged(before, status, reader)) {
      entries.keep(1, status.size)
      return entries.add(folder, { ...node, content: before.content! }, before)
    }
    folder.waiting++
    const dropped = (): void => entryTools.trees.settle(folder)
    const stored = (whole: TreeNode): void => {
      entries.addFile(folder, whole, before)
      dropped()
    }
    await reading.read({ at, node, reader, path, stored, dropped })
  }

  /** What is not known on one of the sides is no difference. */
  #isUnchanged(before: TreeNode, status: RemoteStatus, { clockAheadNs }: FolderReader): boolean {
    const isKnown = before.ctimeNs !== 0n
    const changedNs = isKnown ? before.ctimeNs + clockDoubtNs : before.mtimeNs + secondsDoubtNs
    return (
      before.type === 'file' &&
      before.size === status.size &&
      before.mtimeNs === status.mtimeNs &&
      areSame(before.ctimeNs, status.ctimeNs) &&
      areSame(before.inode, status.inode) &&
      !this.#tools.entries.isRecent({ ctimeNs: changedNs - clockAheadNs }) &&
      before.content!.every((id) => this.#tools.entryTools.index.has('data', id))
    )
  }
}

/** Something elsewhere that is no folder. */
interface Found {
  /** In the snapshot, for people. */
  readonly at: string
  readonly reader: FolderReader
  readonly path: string
  /** In the snapshot. */
  readonly name: Uint8Array
  readonly status: RemoteStatus
}

/** By name, each once: a folder that changes while it is listed may show an entry twice. */
function inOrder(listed: readonly RemoteEntry[]): RemoteEntry[] {
  const sorted = listed.toSorted((a, b) => compareNames(a.name, b.name))
  return sorted.filter(({ name }, nth) => nth === 0 || compareNames(name, sorted[nth - 1]!.name) !== 0)
}

function areSame(a: bigint, b: bigint): boolean {
  return a === 0n || b === 0n || a === b
}

function joined(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}
