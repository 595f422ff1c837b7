import type { Accounts } from '../filesystem/accounts.ts'
import { Directory, splitPath } from '../filesystem/directory.ts'
import { statusWord, statusWords, type Status } from '../filesystem/status.ts'
import { quoteName } from '../format/name.ts'
import type { TreeNode } from '../format/tree-node.ts'
import type { BlobIndex } from '../repository/blob-index.ts'
import { nodeBefore, type OpenFolder, type TreeBuilder, type TreeCounts } from './build-tree.ts'
import type { Content, ContentPart, FilePart, FolderPart } from './entry.ts'
import { type ArchiveFinding, findingOf, isAboutEntry } from './findings.ts'
import { folderNodeOf, isSameInode, isSameMetadata, metadataOf, nodeOf, syntheticNode } from './node.ts'
import type { FileReading, FileToRead } from './read-files.ts'

/**
 * An entry that changed this little before its backup began, or during it, may have changed again within one tick of
 * the system's clock, and look the same: the next backup reads it anew.
 */
const clockTickNs = 50_000_000n
const billion = 1_000_000_000n
const slash = Buffer.from('/')

/** What the entries of one backup are taken with. */
export interface EntryTools {
  readonly index: BlobIndex
  readonly trees: TreeBuilder
  readonly reading: FileReading
  readonly accounts: Accounts
  readonly report: (finding: ArchiveFinding) => void
  readonly signal: AbortSignal
}

/** Takes everything but folders into the snapshot: as the parent has it where it did not change, or read anew. */
export class EntryTaker {
  readonly files: TreeCounts = { new: 0, changed: 0, unmodified: 0 }
  /** Bytes of all files so far. */
  bytes = 0
  readonly #tools: EntryTools
  readonly #timeNs: bigint
  readonly #recentNs: bigint | undefined
  /** The same as numbers. */
  readonly #recent: { readonly seconds: number; readonly nanoseconds: number }

  /** @param timeNs - of the snapshot. @param parentNs - of its parent. */
  constructor(tools: EntryTools, timeNs: bigint, parentNs: bigint | undefined) {
    this.#tools = tools
    this.#timeNs = timeNs
    this.#recentNs = parentNs === undefined ? undefined : parentNs - clockTickNs
    this.#recent = {
      seconds: this.#recentNs === undefined ? -Infinity : Number(this.#recentNs / billion),
      nanoseconds: Number((this.#recentNs ?? 0n) % billion),
    }
  }

  get fileCount(): number {
    return this.files.new + this.files.changed + this.files.unmodified
  }

  /** Counts files that stay as the parent has them, with the folder they are in. */
  keep(files: number, bytes: number): void {
    this.files.unmodified += files
    this.bytes += bytes
  }

  /** Whether an entry may have changed since the parent was made although its times say no. */
  isRecent({ ctimeNs }: { readonly ctimeNs: bigint }): boolean {
    return this.#recentNs === undefined || ctimeNs >= this.#recentNs
  }

  /** As `isRecent` of the status that lies in `statusBuffer`. */
  get isRecentInBuffer(): boolean {
    const [recent, at] = [this.#recent, statusWord.ctime]
    const seconds = (statusWords[at + 1]! | 0) * 2 ** 32 + statusWords[at]!
    return seconds === recent.seconds ? statusWords[at + 2]! >= recent.nanoseconds : seconds > recent.seconds
  }

  /** The node of an entry without content or subtree; what its change time vouches for is that of `before`. */
  nodeOf(directory: Directory, name: Uint8Array, status: Status, before: TreeNode | undefined): TreeNode {
    const trusted = this.isRecent(status) ? undefined : before
    return nodeOf(directory, name, status, this.#tools.accounts, trusted)
  }

  /** As `nodeOf` of a folder that is open itself. */
  folderNodeOf(opened: Directory, name: Uint8Array, status: Status, before: TreeNode | undefined): TreeNode {
    const trusted = this.isRecent(status) ? undefined : before
    return folderNodeOf(opened, name, status, this.#tools.accounts, trusted)
  }

  /** Something in a folder on disk. @param path - latin1, relative to the part. @returns what is to be waited for. */
  takeEntry(
    part: FolderPart,
    folder: OpenFolder,
    name: Buffer,
    path: string,
    status: Status,
  ): Promise<void> | undefined {
    const at = (): string => shownAt(part.at, path)
    if (status.type === 'socket') {
      this.#tools.report(socketFinding(at()))
      return undefined
    }
    const directory = folder.directory!
    const before = nodeBefore(folder, name)
    const content = part.replace?.get(path)
    const isOnDisk = status.type === 'file' && !content
    const isKept = isOnDisk && before !== undefined && this.#isUnchanged(before, status)
    if (isOnDisk && !isKept) {
      const node = metadataOf(name, status, this.#tools.accounts)
      return this.#read({ at, node, name, directory }, folder, before)
    }
    const node = this.nodeOf(directory, name, status, before)
    if (status.type === 'file' && content) return this.#takeContentOf(at(), content, node, folder, before)
    if (isKept) this.keep(1, status.size)
    this.add(folder, isKept ? { ...node, content: before.content! } : node, before)
    return undefined
  }

  async #takeContentOf(
    at: string,
    content: Content,
    node: TreeNode,
    folder: OpenFolder,
    before: TreeNode | undefined,
  ): Promise<void> {
    const read = await this.#tools.reading.readContent(at, content, this.#tools.signal)
    if (read) this.addFile(folder, { ...node, ...read }, before)
  }

  async takeContent(part: ContentPart, folder: OpenFolder): Promise<void> {
    const name = lastName(part.at)
    const node = syntheticNode(name, 'file', part.mode ?? 0o600, part.mtimeNs ?? this.#timeNs)
    const read = await this.#tools.reading.readContent(part.at, part.content, this.#tools.signal)
    if (read) this.addFile(folder, { ...node, ...read }, nodeBefore(folder, name))
  }

  async takeFile(part: FilePart, folder: OpenFolder): Promise<void> {
    const name = lastName(part.at)
    const before = nodeBefore(folder, name)
    let directory: Directory | undefined
    try {
      const components = splitPath(Buffer.from(part.path))
      const last = Buffer.from(components.pop()!)
      directory = Directory.open(Buffer.concat([slash, ...components.flatMap((component) => [component, slash])]))
      const status = directory.status(last)
      if (status.type === 'dir') throw Object.assign(new Error('it is a folder'), { code: 'EISDIR', syscall: 'open' })
      if (status.type === 'file' && !(before && this.#isUnchanged(before, status))) {
        const node = metadataOf(name, status, this.#tools.accounts)
        return await this.#read({ at: () => part.at, node, name: last, directory }, folder, before, directory)
      }
      const node = { ...this.nodeOf(directory, last, status, before), name }
      directory[Symbol.dispose]()
      if (status.type === 'file') this.keep(1, status.size)
      this.add(folder, { ...node, ...(before?.content && { content: before.content }) }, before)
    } catch (thrown) {
      directory?.[Symbol.dispose]()
      if (!isAboutEntry(thrown)) throw thrown
      this.#tools.report(findingOf(part.at, thrown))
    }
  }

  #isUnchanged(before: TreeNode, status: Status): boolean {
    return (
      before.type === 'file' &&
      !this.isRecent(before) &&
      before.size === status.size &&
      isSameInode(before, status) &&
      before.content!.every((id) => this.#tools.index.has('data', id))
    )
  }

  /** Lets a file be read; the folder stays open until it is. @param own - closed with the file. */
  #read(
    file: Pick<FileToRead, 'at' | 'node' | 'name' | 'directory'>,
    folder: OpenFolder,
    before: TreeNode | undefined,
    own?: Disposable,
  ): Promise<void> | undefined {
    folder.waiting++
    const done = (): void => {
      own?.[Symbol.dispose]()
      this.#tools.trees.settle(folder)
    }
    const stored = (node: TreeNode): void => {
      this.addFile(folder, node, before)
      done()
    }
    return this.#tools.reading.read({ ...file, stored, dropped: done })
  }

  /** A file that was read. */
  addFile(folder: OpenFolder, node: TreeNode, before: TreeNode | undefined): void {
    if (before) this.files.changed++
    else this.files.new++
    this.bytes += node.size
    this.add(folder, node, before)
  }

  /** What did not change is the node of the parent snapshot itself. */
  add(folder: OpenFolder, node: TreeNode, before: TreeNode | undefined): void {
    folder.add(before && isSameMetadata(node, before) && isSameContent(node, before) ? before : node, before)
  }
}

export function socketFinding(path: string): ArchiveFinding {
  return { path, code: 'left-out', text: 'is a socket, which has no content' }
}

/** A place in the snapshot for people. @param path - latin1. */
export function shownAt(at: string, path: string): string {
  const below = Buffer.from(path, 'latin1')
  return `${at}${at === '' ? '' : '/'}${quoteName(below)}`
}

export function lastName(at: string): Buffer {
  return Buffer.from(at.slice(at.lastIndexOf('/') + 1))
}

function isSameContent(a: TreeNode, b: TreeNode): boolean {
  if (a.content === b.content) return true
  return a.content?.length === b.content?.length && a.content!.every((id, nth) => id === b.content![nth])
}
