import { textOf } from '#base'
import type { Accounts } from '../filesystem/accounts.ts'
import { Directory } from '../filesystem/directory.ts'
import { quoteName } from '../format/name.ts'
import type { Snapshot } from '../format/snapshot.ts'
import { formatTime } from '../format/time.ts'
import type { TreeNode } from '../format/tree-node.ts'
import type { Repository } from '../repository/repository.ts'
import { latin1, nodeBefore, OpenFolder, TreeBuilder, type TreeCounts } from './build-tree.ts'
import { StreamCutter } from './cut-stream.ts'
import type { ContentPart, FolderPart, Part } from './entry.ts'
import { archiveError } from './errors.ts'
import type { ArchiveFinding } from './findings.ts'
import { type FolderMemory, FolderMemoryWriter } from './folder-memory.ts'
import { metadataOf, syntheticNode } from './node.ts'
import { ParentTrees } from './parent-trees.ts'
import { arrangeParts, type Place } from './parts.ts'
import { FileReading, type Artifact } from './read-files.ts'
import { readBefore, type Recalled } from './read-before.ts'
import { type MemoryPlace, rememberFolders } from './recall-folders.ts'
import { RemoteReading } from './remote-reading.ts'
import { RemoteWalk } from './remote-walk.ts'
import { Sealing } from './sealing.ts'
import { EntryTaker } from './take-entries.ts'
import { FolderWalk, type WalkTools } from './walk-folder.ts'

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
  /**
   * What the last backup of the same parts remembered: makes one that finds few changes several times as fast. What it
   * says is believed only about `parent`, and only while nothing it rests on has changed.
   */
  readonly memory?: MemoryPlace | undefined
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

const progressMs = 200

/**
 * Makes one snapshot of `parts`. Holds a shared lock for as long as it works.
 *
 * What is not in the snapshot as it should be is a finding; the snapshot is made all the same. A stream that fails is
 * left out as a whole. What an index file that is damaged has named is stored once more. Order of writes: packs, index files, snapshot. When it throws there is no snapshot, and what was
 * stored by then is used by the next run or removed by the next prune.
 *
 * @throws `archive.source-missing`; `archive.path-taken`; `repository.locked`; `repository.lock-lost`, also when the lock was gone
 * just after the snapshot was saved, which is not to be trusted then; what the backend throws.
 */
export async function archive(
  repository: Repository,
  request: ArchiveRequest,
  signal?: AbortSignal,
): Promise<ArchiveResult> {
  await using lock = await repository.beginLock('shared', signal)
  const stop = signal ? AbortSignal.any([signal, lock.signal]) : lock.signal
  const recalled = await readBefore(repository, request, lock, stop)
  const confirmLock = (): Promise<void> => lock.confirm(stop)
  await using sealing = new Sealing(repository, confirmLock, stop)
  const archiving = new Archiving({ repository, sealing }, request, recalled, stop)
  const timer = setInterval(() => request.onProgress?.(archiving.progress()), progressMs)
  try {
    return await archiving.run(confirmLock)
  } finally {
    clearInterval(timer)
  }
}

/** What one backup works with. */
interface ArchiveTools {
  readonly repository: Repository
  readonly sealing: Sealing
}

/** One snapshot in the making: takes the parts in order, then what tells about them. */
class Archiving {
  readonly #repository: Repository
  readonly #sealing: Sealing
  readonly #request: ArchiveRequest
  readonly #signal: AbortSignal
  readonly #accounts: Accounts
  readonly #memory: FolderMemory | undefined
  readonly #newMemory: FolderMemoryWriter | undefined
  readonly #trees: TreeBuilder
  readonly #parentTrees: ParentTrees
  readonly #reading: FileReading
  readonly #remoteReading: RemoteReading
  readonly #entries: EntryTaker
  readonly #remote: RemoteWalk
  readonly #findings: ArchiveFinding[] = []

  constructor(tools: ArchiveTools, request: ArchiveRequest, recalled: Recalled, signal: AbortSignal) {
    const { repository, sealing } = tools
    const { accounts, unreadable, memory } = recalled
    this.#repository = repository
    this.#sealing = sealing
    this.#request = request
    this.#signal = signal
    this.#accounts = accounts
    this.#memory = memory
    if (request.memory && unreadable.length === 0) this.#newMemory = this.#beginMemory()
    for (const { message } of unreadable)
      this.#findings.push({ path: 'the repository', code: 'index-damaged', text: message })
    const { index, config } = repository
    const report = (finding: ArchiveFinding): void => void this.#findings.push(finding)
    const trees = new TreeBuilder(index, (id, bytes) => sealing.tree(id, bytes), this.#newMemory)
    const cutter = new StreamCutter(sealing, config.chunkerPolynomial)
    const reading = new FileReading({ sealing, cutter }, accounts, report)
    const remoteReading = new RemoteReading(sealing, cutter, report, signal)
    this.#trees = trees
    this.#parentTrees = new ParentTrees(repository, report, signal)
    this.#reading = reading
    const entryTools = { index, trees, reading, accounts, report, signal }
    this.#entries = new EntryTaker(entryTools, request.timeNs, request.parent?.timeNs)
    this.#remoteReading = remoteReading
    this.#remote = new RemoteWalk({ ...this.#walkTools(), entryTools, reading: remoteReading })
  }

  progress(): ArchiveProgress {
    const { fileCount, bytes } = this.#entries
    return { files: fileCount, bytes, bytesRead: this.#bytesRead, findings: this.#findings.length }
  }

  async run(confirmLock: () => Promise<void>): Promise<ArchiveResult> {
    const { parts, lastParts } = this.#request
    const startedNs = this.#nowNs()
    const walk = new FolderWalk(this.#walkTools(), this.#memory)
    const root = await this.#takePlace(walk, arrangeParts(parts), Buffer.alloc(0), undefined)
    await this.#reading.settle()
    const { fileCount: files, bytes } = this.#entries
    const last = lastParts?.({ artifacts: this.#reading.artifacts, findings: this.#findings, files, bytes }) ?? []
    arrangeParts([...parts, ...last])
    for (const part of last) await this.#entries.takeContent(part, root!)
    if (root) this.#trees.settle(root)
    await this.#sealing.finish()
    const tree = this.#trees.root!
    // because without our lock a prune may have removed what this snapshot needs; and it may have begun just before it was there
    await confirmLock()
    const snapshot = await this.#repository.saveSnapshot(this.#snapshot(tree, startedNs), this.#signal)
    await confirmLock()
    await this.#remember(snapshot)
    return {
      snapshot,
      tree,
      files: this.#entries.files,
      folders: this.#trees.folders,
      bytes: this.#entries.bytes,
      bytesRead: this.#bytesRead,
      bytesAdded: this.#sealing.saver.bytes,
      artifacts: this.#reading.artifacts,
      findings: this.#findings,
    }
  }

  get #bytesRead(): number {
    return this.#reading.bytesRead + this.#remoteReading.bytesRead
  }

  #walkTools(): WalkTools {
    const room = async (): Promise<void> => {
      await this.#sealing.room()
      this.#reading.check()
      this.#remoteReading.check()
    }
    const report = (finding: ArchiveFinding): void => void this.#findings.push(finding)
    return { trees: this.#trees, parentTrees: this.#parentTrees, entries: this.#entries, report, room }
  }

  /** For the next backup: the accounts of folders that are kept, too, whose nodes are not looked at again. */
  #beginMemory(): FolderMemoryWriter {
    const writer = new FolderMemoryWriter()
    for (const uid of this.#memory?.users ?? []) writer.addUser(uid, this.#accounts.nameOfUser(uid))
    for (const gid of this.#memory?.groups ?? []) writer.addGroup(gid, this.#accounts.nameOfGroup(gid))
    return writer
  }

  async #remember(snapshot: string): Promise<void> {
    const place = this.#request.memory
    if (!place || !this.#newMemory) return
    await rememberFolders(this.#repository, place, snapshot, this.#newMemory, this.#signal)
  }

  #snapshot(tree: string, startedNs: bigint): Snapshot {
    const { parent, timeNs, paths, hostname, username, tags, programVersion } = this.#request
    const { stored, saver } = this.#sealing
    const { folders } = this.#trees
    const { files, fileCount, bytes } = this.#entries
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
        filesNew: files.new,
        filesChanged: files.changed,
        filesUnmodified: files.unmodified,
        dirsNew: folders.new,
        dirsChanged: folders.changed,
        dirsUnmodified: folders.unmodified,
        dataBlobs: stored.dataBlobs,
        treeBlobs: stored.treeBlobs,
        dataAdded: stored.bytes,
        dataAddedPacked: saver.bytes,
        totalFilesProcessed: fileCount,
        totalBytesProcessed: bytes,
      },
    }
  }

  /**
   * A place with everything at it and below it.
   *
   * @param parent - absent for the root. @returns its folder, not settled; undefined when it keeps the tree it had.
   */
  async #takePlace(
    walk: FolderWalk,
    place: Place,
    name: Uint8Array,
    parent: OpenFolder | undefined,
  ): Promise<OpenFolder | undefined> {
    const { part } = place
    const treeBefore = parent ? nodeBefore(parent, name)?.subtree : this.#request.parent?.tree
    const taken = new Set(Array.from(place.below.keys(), (component) => latin1(Buffer.from(component))))
    if (part?.kind === 'remote-folder') {
      const { node, listed } = await this.#remote.openPart(part, name)
      const folder = new OpenFolder(node, parent, await this.#parentTrees.load(treeBefore))
      await this.#takeBelow(walk, place, folder)
      await this.#remote.walkPart(part, folder, listed, taken)
      return folder
    }
    if (part?.kind !== 'folder') {
      const node = syntheticNode(name, 'dir', 0o700, this.#request.timeNs)
      const folder = new OpenFolder(node, parent, await this.#parentTrees.load(treeBefore))
      await this.#takeBelow(walk, place, folder)
      return folder
    }
    const { directory, names, node } = this.#openPart(part, name)
    let folder: OpenFolder | undefined
    const open = async (): Promise<OpenFolder> => {
      if (folder) return folder
      folder = new OpenFolder(node, parent, await this.#parentTrees.load(treeBefore), directory)
      folder.waiting++ // for the caller, who settles it as well
      return folder
    }
    const isWhole = place.below.size === 0 && (parent !== undefined || !this.#request.lastParts)
    if (!isWhole) await this.#takeBelow(walk, place, await open())
    const kept = await walk.walkPart({ part, directory, names, taken, isWhole, open })
    if (kept) this.#trees.attach(parent, node, Buffer.from(kept).toString('hex'))
    return folder
  }

  async #takeBelow(walk: FolderWalk, place: Place, folder: OpenFolder): Promise<void> {
    for (const [component, below] of place.below) {
      const { part } = below
      if (part?.kind === 'content') await this.#entries.takeContent(part, folder)
      else if (part?.kind === 'file') await this.#entries.takeFile(part, folder)
      else if (part?.kind === 'remote-file') await this.#remote.takeFile(part, folder)
      else {
        const inner = await this.#takePlace(walk, below, Buffer.from(component), folder)
        if (inner) this.#trees.settle(inner)
      }
    }
  }

  #openPart({ path }: FolderPart, name: Uint8Array): { directory: Directory; names: Buffer[]; node: TreeNode } {
    let directory: Directory | undefined
    try {
      directory = Directory.open(path)
      const names = directory.names()
      const own = metadataOf(name, directory.ownStatus(), this.#accounts)
      return { directory, names, node: { ...own, extendedAttributes: directory.ownExtendedAttributes() } }
    } catch (thrown) {
      directory?.[Symbol.dispose]()
      const shown = typeof path === 'string' ? path : quoteName(path)
      throw archiveError('archive.source-missing', { path: shown, reason: textOf(thrown) }, thrown)
    }
  }

  #nowNs(): bigint {
    return BigInt(Math.round(this.#repository.clock.now())) * 1_000_000n
  }
}
