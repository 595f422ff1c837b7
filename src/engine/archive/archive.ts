import { setImmediate as nextTurn } from 'node:timers/promises'

import { AppError, textOf } from '#base'
import { Accounts } from '../filesystem/accounts.ts'
import { Directory, splitPath } from '../filesystem/directory.ts'
import type { Status } from '../filesystem/status.ts'
import { quoteName } from '../format/name.ts'
import type { Snapshot } from '../format/snapshot.ts'
import { formatTime } from '../format/time.ts'
import { compareNames, decodeTree, type TreeNode } from '../format/tree-node.ts'
import type { Repository } from '../repository/repository.ts'
import { type Before, latin1, OpenFolder, TreeBuilder, type TreeCounts } from './build-tree.ts'
import { StreamCutter } from './cut-stream.ts'
import type { ContentPart, FilePart, FolderPart, Part } from './entry.ts'
import { archiveError } from './errors.ts'
import { type ArchiveFinding, findingOf, isAboutEntry } from './findings.ts'
import { isSameInode, isSameMetadata, metadataOf, nodeOf, syntheticNode } from './node.ts'
import { arrangeParts, type Place } from './parts.ts'
import { FileReading, type Artifact } from './read-files.ts'
import { Sealing } from './sealing.ts'

export interface ArchiveProgress {
  /** Files done so far, unchanged ones counted, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** Bytes read so far: those of files that are new or have changed. */
  readonly bytesRead: number
  readonly findings: number
}

export interface ArchiveRequest {
  readonly parts: readonly Part[]
  /** Parts that tell about the others, made when those are stored; each lies directly in the snapshot's root. */
  readonly lastParts?: (stored: {
    readonly artifacts: readonly Artifact[]
    readonly findings: readonly ArchiveFinding[]
    readonly files: number
    readonly bytes: number
  }) => readonly ContentPart[]
  /** Snapshot to compare with; files that did not change since are not read. */
  readonly parent?: { readonly id: string; readonly tree: string; readonly timeNs: bigint } | undefined
  readonly timeNs: bigint
  /** Absolute paths that the snapshot is said to be of. */
  readonly paths: readonly string[]
  readonly hostname: string
  readonly username?: string
  readonly tags?: readonly string[]
  readonly programVersion?: string
  /** Called a few times a second. */
  readonly onProgress?: (progress: ArchiveProgress) => void
}

export interface ArchiveResult {
  /** Hex id of the snapshot. */
  readonly snapshot: string
  /** Hex id of its root tree. */
  readonly tree: string
  readonly files: Readonly<TreeCounts>
  readonly folders: Readonly<TreeCounts>
  /** Bytes of all files in the snapshot. */
  readonly bytes: number
  readonly bytesRead: number
  /** Bytes that the packs of the repository grew by. */
  readonly bytesAdded: number
  readonly artifacts: readonly Artifact[]
  readonly findings: readonly ArchiveFinding[]
}

/**
 * A file that changed this little before its backup began, or during it, may have changed again within one tick of the
 * system's clock, and look the same: the next backup reads it anew.
 */
const clockTickNs = 50_000_000n
/** The walk lets other work of the process go on after this time. */
const turnMs = 8
const progressMs = 200
const slash = Buffer.from('/')

/**
 * Makes one snapshot of `parts`. Holds a shared lock for as long as it works.
 *
 * What is not in the snapshot as it should be is a finding; the snapshot is made all the same. A stream that fails is
 * left out as a whole. Order of writes: packs, index files, snapshot. When it throws there is no snapshot, and what was
 * stored by then is used by the next run or removed by the next prune.
 *
 * @throws `archive.source-missing`; `archive.path-taken`; `repository.locked`; what the backend throws.
 */
export async function archive(
  repository: Repository,
  request: ArchiveRequest,
  signal?: AbortSignal,
): Promise<ArchiveResult> {
  await using lock = await repository.lock('shared', signal)
  const stop = signal ? AbortSignal.any([signal, lock.signal]) : lock.signal
  await repository.loadIndex(stop)
  await using sealing = new Sealing(repository, stop)
  const archiving = new Archiving(repository, sealing, request, stop)
  const timer = setInterval(() => request.onProgress?.(archiving.progress()), progressMs)
  try {
    return await archiving.run()
  } finally {
    clearInterval(timer)
  }
}

/** One snapshot in the making: walks the parts in order and gives each folder's children to the tree builder. */
class Archiving {
  readonly #repository: Repository
  readonly #sealing: Sealing
  readonly #request: ArchiveRequest
  readonly #signal: AbortSignal
  readonly #accounts = new Accounts()
  readonly #trees: TreeBuilder
  readonly #reading: FileReading
  readonly #files: TreeCounts = { new: 0, changed: 0, unmodified: 0 }
  readonly #findings: ArchiveFinding[] = []
  #bytes = 0
  #turnBegan = performance.now()

  constructor(repository: Repository, sealing: Sealing, request: ArchiveRequest, signal: AbortSignal) {
    this.#repository = repository
    this.#sealing = sealing
    this.#request = request
    this.#signal = signal
    this.#trees = new TreeBuilder(repository.index, (id, bytes) => sealing.tree(id, bytes))
    const cutter = new StreamCutter(sealing, repository.config.chunkerPolynomial)
    this.#reading = new FileReading(sealing, cutter, this.#accounts, (finding) => this.#findings.push(finding))
  }

  progress(): ArchiveProgress {
    const { bytesRead } = this.#reading
    return { files: this.#fileCount(), bytes: this.#bytes, bytesRead, findings: this.#findings.length }
  }

  async run(): Promise<ArchiveResult> {
    const { parts, lastParts, parent } = this.#request
    const startedNs = this.#nowNs()
    const places = arrangeParts(parts)
    const root = await this.#openPlace(places, Buffer.alloc(0), undefined, await this.#load(parent?.tree))
    await this.#fill(places, root)
    await this.#reading.settle()
    const stored = {
      artifacts: this.#reading.artifacts,
      findings: this.#findings,
      files: this.#fileCount(),
      bytes: this.#bytes,
    }
    const last = lastParts?.(stored) ?? []
    arrangeParts([...parts, ...last])
    for (const part of last) await this.#takeContent(part, root)
    this.#trees.settle(root)
    await this.#sealing.finish()
    const tree = this.#trees.root!
    return {
      snapshot: await this.#repository.saveSnapshot(this.#snapshot(tree, startedNs), this.#signal),
      tree,
      files: this.#files,
      folders: this.#trees.folders,
      bytes: this.#bytes,
      bytesRead: this.#reading.bytesRead,
      bytesAdded: this.#sealing.saver.bytes,
      artifacts: this.#reading.artifacts,
      findings: this.#findings,
    }
  }

  #snapshot(tree: string, startedNs: bigint): Snapshot {
    const { parent, timeNs, paths, hostname, username, tags, programVersion } = this.#request
    const { stored, saver } = this.#sealing
    const { folders } = this.#trees
    const [uid, gid] = [process.getuid?.(), process.getgid?.()]
    return {
      time: formatTime(timeNs),
      ...(parent && { parent: parent.id }),
      tree,
      paths,
      hostname,
      ...(username && { username }),
      ...(uid && { uid }),
      ...(gid && { gid }),
      ...(tags && tags.length > 0 && { tags }),
      ...(programVersion && { programVersion }),
      summary: {
        backupStart: formatTime(startedNs),
        backupEnd: formatTime(this.#nowNs()),
        filesNew: this.#files.new,
        filesChanged: this.#files.changed,
        filesUnmodified: this.#files.unmodified,
        dirsNew: folders.new,
        dirsChanged: folders.changed,
        dirsUnmodified: folders.unmodified,
        dataBlobs: stored.dataBlobs,
        treeBlobs: stored.treeBlobs,
        dataAdded: stored.bytes,
        dataAddedPacked: saver.bytes,
        totalFilesProcessed: this.#fileCount(),
        totalBytesProcessed: this.#bytes,
      },
    }
  }

  /** Everything that belongs at a place: the parts below it, then the folder on disk that is at it. */
  async #fill(place: Place, folder: OpenFolder): Promise<void> {
    for (const [component, below] of place.below) {
      const { part } = below
      if (part?.kind === 'content') await this.#takeContent(part, folder)
      else if (part?.kind === 'file') await this.#takeFile(part, folder)
      else {
        const name = Buffer.from(component)
        const inner = await this.#openPlace(below, name, folder, await this.#load(nodeBefore(folder, name)?.subtree))
        await this.#fill(below, inner)
        this.#trees.settle(inner)
      }
    }
    if (place.part?.kind !== 'folder') return
    const taken = new Set(Array.from(place.below.keys(), (component) => latin1(Buffer.from(component))))
    await this.#walk(place.part, folder, folder.directory!.names(), '', taken)
  }

  /** The folder that stands for a place: one on disk, or one that is only in the snapshot. */
  async #openPlace(place: Place, name: Uint8Array, parent?: OpenFolder, before?: Before): Promise<OpenFolder> {
    if (place.part?.kind !== 'folder') {
      return new OpenFolder(syntheticNode(name, 'dir', 0o700, this.#request.timeNs), parent, before)
    }
    const { path } = place.part
    let directory: Directory | undefined
    try {
      directory = Directory.open(path)
      directory.names()
      const own = metadataOf(name, directory.ownStatus(), this.#accounts)
      const node = { ...own, extendedAttributes: directory.ownExtendedAttributes() }
      return new OpenFolder(node, parent, before, directory)
    } catch (thrown) {
      directory?.[Symbol.dispose]()
      throw archiveError('archive.source-missing', { path: shown(path), reason: textOf(thrown) }, thrown)
    }
  }

  /** `relative`: '' or ending in a slash, latin1, as `leaveOut` gets it. */
  async #walk(
    part: FolderPart,
    folder: OpenFolder,
    names: Buffer[],
    relative: string,
    taken?: ReadonlySet<string>,
  ): Promise<void> {
    for (const name of names.sort(compareNames)) {
      const text = latin1(name)
      if (taken?.has(text)) continue
      const path = relative + text
      try {
        const status = folder.directory!.status(name)
        if (part.leaveOut?.(path, status.type)) continue
        if (status.type === 'dir') await this.#walkChild(part, folder, name, path, status)
        else await this.#takeEntry(part, folder, name, path, status)
      } catch (thrown) {
        if (!isAboutEntry(thrown)) throw thrown
        this.#findings.push(findingOf(shownAt(part.at, path), thrown))
      }
      if (performance.now() - this.#turnBegan > turnMs) await this.#letOthersWork()
    }
  }

  async #walkChild(part: FolderPart, parent: OpenFolder, name: Buffer, path: string, status: Status): Promise<void> {
    const beforeNode = nodeBefore(parent, name)
    const node = nodeOf(parent.directory!, name, status, this.#accounts, beforeNode)
    const directory = parent.directory!.openChild(name)
    let names: Buffer[]
    try {
      names = directory.names()
    } catch (thrown) {
      directory[Symbol.dispose]()
      throw thrown
    }
    const folder = new OpenFolder(node, parent, await this.#load(beforeNode?.subtree), directory)
    await this.#walk(part, folder, names, `${path}/`)
    this.#trees.settle(folder)
  }

  async #takeEntry(part: FolderPart, folder: OpenFolder, name: Buffer, path: string, status: Status): Promise<void> {
    if (status.type === 'socket') {
      this.#findings.push({ path: shownAt(part.at, path), code: 'left-out', text: 'is a socket, which has no content' })
      return
    }
    const before = nodeBefore(folder, name)
    const node = nodeOf(folder.directory!, name, status, this.#accounts, before)
    if (status.type !== 'file') return this.#add(folder, node, before)
    const content = part.replace?.get(path)
    if (content) {
      const read = await this.#reading.readContent(shownAt(part.at, path), content, this.#signal)
      if (read) this.#addFile(folder, { ...node, ...read }, before)
    } else if (before && this.#isUnchanged(before, status)) {
      this.#files.unmodified++
      this.#bytes += status.size
      this.#add(folder, { ...node, content: before.content! }, before)
    } else {
      await this.#read({ at: shownAt(part.at, path), node, name, directory: folder.directory! }, folder, before)
    }
  }

  #isUnchanged(before: TreeNode, status: Status): boolean {
    return (
      before.type === 'file' &&
      before.ctimeNs < this.#request.parent!.timeNs - clockTickNs &&
      before.size === status.size &&
      isSameInode(before, status) &&
      before.content!.every((id) => this.#repository.index.has('data', id))
    )
  }

  async #takeContent(part: ContentPart, folder: OpenFolder): Promise<void> {
    const name = Buffer.from(part.at.slice(part.at.lastIndexOf('/') + 1))
    const node = syntheticNode(name, 'file', part.mode ?? 0o600, part.mtimeNs ?? this.#request.timeNs)
    const read = await this.#reading.readContent(part.at, part.content, this.#signal)
    if (read) this.#addFile(folder, { ...node, ...read }, nodeBefore(folder, name))
  }

  async #takeFile(part: FilePart, folder: OpenFolder): Promise<void> {
    const name = Buffer.from(part.at.slice(part.at.lastIndexOf('/') + 1))
    const before = nodeBefore(folder, name)
    let directory: Directory | undefined
    try {
      const components = splitPath(Buffer.from(part.path))
      const last = Buffer.from(components.pop()!)
      directory = Directory.open(Buffer.concat([slash, ...components.flatMap((component) => [component, slash])]))
      const status = directory.status(last)
      if (status.type === 'dir') throw Object.assign(new Error('it is a folder'), { code: 'EISDIR', syscall: 'open' })
      const node = { ...nodeOf(directory, last, status, this.#accounts, before), name }
      if (status.type === 'file' && !(before && this.#isUnchanged(before, status))) {
        return await this.#read({ at: part.at, node, name: last, directory }, folder, before, directory)
      }
      directory[Symbol.dispose]()
      if (status.type === 'file') {
        this.#files.unmodified++
        this.#bytes += status.size
      }
      this.#add(folder, { ...node, ...(before?.content && { content: before.content }) }, before)
    } catch (thrown) {
      directory?.[Symbol.dispose]()
      if (!isAboutEntry(thrown)) throw thrown
      this.#findings.push(findingOf(part.at, thrown))
    }
  }

  /** Lets a file be read; the folder stays open until it is. @param own - closed with the file. */
  async #read(
    file: { at: string; node: TreeNode; name: Buffer; directory: Directory },
    folder: OpenFolder,
    before: TreeNode | undefined,
    own?: Disposable,
  ): Promise<void> {
    folder.waiting++
    const done = (): void => {
      own?.[Symbol.dispose]()
      this.#trees.settle(folder)
    }
    const stored = (node: TreeNode): void => {
      this.#addFile(folder, node, before)
      done()
    }
    await this.#reading.read({ ...file, stored, dropped: done })
  }

  #addFile(folder: OpenFolder, node: TreeNode, before: TreeNode | undefined): void {
    if (before) this.#files.changed++
    else this.#files.new++
    this.#bytes += node.size
    this.#add(folder, node, before)
  }

  #add(folder: OpenFolder, node: TreeNode, before: TreeNode | undefined): void {
    folder.add(before && isSameMetadata(node, before) && isSameContent(node, before) ? before : node, before)
  }

  async #load(treeId: string | undefined): Promise<Before | undefined> {
    if (!treeId) return undefined
    try {
      const nodes = new Map<string, TreeNode>()
      for (const node of decodeTree(await this.#repository.loadBlob('tree', treeId, this.#signal))) {
        nodes.set(latin1(node.name), node)
      }
      return { treeId, nodes }
    } catch (thrown) {
      if (!(thrown instanceof AppError) || (thrown.kind !== 'damaged' && thrown.kind !== 'missing')) throw thrown
      this.#findings.push({
        path: '',
        code: 'parent-damaged',
        text: `the parent snapshot is damaged: ${thrown.message}`,
      })
      return undefined
    }
  }

  async #letOthersWork(): Promise<void> {
    await nextTurn()
    await this.#sealing.room()
    this.#reading.check()
    this.#turnBegan = performance.now()
  }

  #fileCount(): number {
    return this.#files.new + this.#files.changed + this.#files.unmodified
  }

  #nowNs(): bigint {
    return BigInt(Math.round(this.#repository.clock.now())) * 1_000_000n
  }
}

function nodeBefore(folder: OpenFolder, name: Buffer): TreeNode | undefined {
  return folder.before?.nodes.get(latin1(name))
}

function isSameContent(a: TreeNode, b: TreeNode): boolean {
  if (a.content === b.content) return true
  return a.content?.length === b.content?.length && a.content!.every((id, nth) => id === b.content![nth])
}

function shown(path: string | Uint8Array): string {
  return typeof path === 'string' ? path : quoteName(path)
}

/** A place in the snapshot for people; `path` is latin1. */
function shownAt(at: string, path: string): string {
  const below = Buffer.from(path, 'latin1')
  return `${at}${at === '' ? '' : '/'}${quoteName(below)}`
}
