import { mapInOrder, systemCode } from '#base'
import type { Directory } from '../filesystem/directory.ts'
import type { Status } from '../filesystem/status.ts'
import { quoteName } from '../format/name.ts'
import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { largestBlob, plainLengthOf } from '../repository/open-blob.ts'
import type { BlobLocation } from '../repository/blob-index.ts'
import { Crew } from './crew.ts'
import { restoreError } from './errors.ts'
import type { RestoreFinding } from './finding.ts'
import type { CompareJob, FileIdentity } from './job.ts'
import { entryAction, folderState, Layout, noLink } from './layout.ts'
import { bufferOf, readRecord, RecordWriter, recordLength, type NodeRecord } from './node-record.ts'
import { OpenFolders } from './open-folders.ts'
import { readTrees } from './read-trees.ts'
import type { ExistingPolicy, RestoreRequest } from './request.ts'
import { RestorePlan } from './restore-plan.ts'
import { keyOf, readScope, showKeys, showPath, type Selection } from './selection.ts'
import type { BlobSource } from './source.ts'
import { openTarget } from './target.ts'

const defaultMaximumEntries = 10_000_000
/** Trees of one depth from which on threads are worth their start. */
const manyTrees = 512
/** Files that one job compares. */
const filesOfComparison = 64

/** A folder whose tree is still to be read. */
interface OpenTask {
  readonly folder: number
  readonly tree: string
  /** undefined: everything below is wanted. */
  readonly selection: Selection | undefined
  /** Whether the folder is there already. */
  readonly present: boolean
}

/** A file that is there with the right size. */
interface Candidate {
  readonly entry: number
  readonly places: readonly BlobLocation[]
}

/**
 * Finds out what restoring a snapshot would do, and does nothing. Reads the trees of the snapshot, looks at what is in the
 * target, and compares files that have the size of theirs, byte by byte.
 *
 * Nodes that cannot be what they claim are left out of the plan and reported: names that lead elsewhere, two of one name,
 * blobs that no pack holds, sizes that contradict the content. Memory: about 150 bytes an entry.
 *
 * @param source - a repository whose index is loaded.
 * @throws `restore.target-taken` when the target is not empty and the request does not say what to do then;
 * `restore.target-unusable`; `restore.path-missing`; `restore.path-outside`; `restore.too-large`; an error of kind `damaged` when
 * the top of the snapshot cannot be read.
 */
export async function planRestore(
  source: BlobSource,
  request: RestoreRequest,
  signal?: AbortSignal,
): Promise<RestorePlan> {
  const { existing = 'refuse' } = request
  const target = Buffer.from(typeof request.target === 'string' ? Buffer.from(request.target) : request.target)
  using root = openTarget(target, existing)
  await using crew = new Crew(source.key)
  const planner = new Planner(source, request, crew, root)
  const scope = readScope(request.include, request.strip)
  const top = await findTop(source, request.tree, scope.strip, signal)
  await planner.plan(top, scope.selection, scope.strip, signal)
  return new RestorePlan({
    target,
    existing,
    layout: planner.layout,
    findings: planner.findings,
    bytes: planner.bytes,
    placesMetadata: top.node !== undefined,
    keepFolders: request.keepFolders ?? false,
  })
}

interface Top {
  readonly tree: string
  /** The folder that becomes the target; undefined for the top of the snapshot, which has no metadata. */
  readonly node?: TreeNode
}

async function findTop(
  source: BlobSource,
  tree: string,
  strip: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<Top> {
  let top: Top = { tree }
  for (const [depth, name] of strip.entries()) {
    const nodes = decodeTree(await source.loadBlob('tree', top.tree, signal))
    const node = nodes.find((node) => Buffer.compare(node.name, name) === 0)
    if (node?.type !== 'dir' || node.subtree === undefined) {
      throw restoreError('restore.path-missing', { path: `folder ${showPath(strip.slice(0, depth + 1))}` })
    }
    top = { tree: node.subtree, node }
  }
  return top
}

class Planner {
  readonly layout = new Layout()
  readonly findings: RestoreFinding[] = []
  bytes = 0
  readonly #source: BlobSource
  readonly #crew: Crew
  readonly #root: Directory | undefined
  readonly #existing: ExistingPolicy
  readonly #delete: boolean
  readonly #maximumEntries: number
  /** What tells hard links of one file apart from others → the entry that is written. */
  readonly #linked = new Map<string, number>()
  readonly #sharedInodes = new Set<bigint>()
  #folders: OpenFolders | undefined

  constructor(source: BlobSource, request: RestoreRequest, crew: Crew, root: Directory | undefined) {
    this.#source = source
    this.#crew = crew
    this.#root = root
    this.#existing = request.existing ?? 'refuse'
    this.#delete = request.delete === true && this.#existing === 'overwrite'
    this.#maximumEntries = request.maximumEntries ?? defaultMaximumEntries
  }

  /** Goes through the snapshot level by level, so that trees of one level can be read together. */
  async plan(
    top: Top,
    selection: Selection | undefined,
    strip: readonly Uint8Array[],
    signal?: AbortSignal,
  ): Promise<void> {
    const { layout } = this
    using folders = this.#root && new OpenFolders(layout, this.#root, { failed: () => {} })
    this.#folders = folders
    const writer = new RecordWriter()
    if (top.node) writer.add(top.node)
    const piece = layout.addPiece(writer.take())
    const passes = this.#root !== undefined && (this.#existing === 'keep' || selection !== undefined)
    layout.levels.push(layout.folders.push(0, piece, 0, passes ? folderState.pass : folderState.merge))

    let level: OpenTask[] = [{ folder: 0, tree: top.tree, selection, present: folders !== undefined }]
    while (level.length > 0) {
      signal?.throwIfAborted()
      const ids = [...new Set(level.map(({ tree }) => tree))]
      if (ids.length >= manyTrees) this.#crew.hire()
      const trees = await readTrees(this.#source, layout, this.#crew, ids, signal)
      const next: OpenTask[] = []
      const candidates: Candidate[][] = []
      for (const task of level) {
        const tree = trees.get(task.tree)!
        if (typeof tree !== 'string') {
          this.#addFolder(task, tree, { next, candidates, strip })
          continue
        }
        if (task.folder === 0) await this.#source.loadBlob('tree', task.tree, signal)
        this.#find('damage', layout.showFolder(task.folder), `what is in it cannot be read: ${tree}`)
      }
      await this.#compare(candidates, signal)
      if (next.length > 0) layout.levels.push(next[0]!.folder)
      level = next
    }
  }

  #find(severity: RestoreFinding['severity'], path: string, text: string): void {
    this.findings.push({ severity, path, text })
  }

  /** Takes in the nodes of one folder. */
  #addFolder(
    task: OpenTask,
    tree: {
      readonly piece: number
      readonly start: number
      readonly end: number
      readonly refused: readonly {
        readonly severity: 'damage' | 'notice'
        readonly name: string
        readonly text: string
      }[]
    },
    into: { readonly next: OpenTask[]; readonly candidates: Candidate[][]; readonly strip: readonly Uint8Array[] },
  ): void {
    const { layout } = this
    const below = (name: string): string => (task.folder === 0 ? name : `${layout.showFolder(task.folder)}/${name}`)
    const selected = task.selection && new Set(Array.from(task.selection.children.keys(), (key) => showKeys([key])))
    for (const { severity, name, text } of tree.refused) {
      if (!selected || selected.has(name)) this.#find(severity, below(name), text)
    }

    const directory = task.present ? this.#folders!.acquire(task.folder) : undefined
    const names = this.#delete && directory && !task.selection ? new Set<string>() : undefined
    const missing = task.selection && new Set(task.selection.children.keys())
    const candidates: Candidate[] = []
    const records = layout.pieces[tree.piece]!
    for (let at = tree.start; at < tree.end; at += recordLength(records, at)) {
      const record = readRecord(records, at)
      const key = task.selection || names ? keyOf(record.name) : ''
      names?.add(key)
      if (task.selection && !task.selection.children.has(key)) continue
      const wanted = task.selection?.children.get(key)
      if (wanted && record.type !== 'dir') continue
      missing?.delete(key)
      if (layout.folders.length + layout.entries.length >= this.#maximumEntries) {
        throw restoreError('restore.too-large', { limit: this.#maximumEntries })
      }
      const found = directory && look(directory, record.name)
      const place = { folder: task.folder, piece: tree.piece, at }
      if (record.type === 'dir') this.#addSubfolder(place, record, { found, wanted, next: into.next })
      else this.#addEntry(place, record, { found, directory, candidates })
    }
    for (const key of missing ?? []) {
      if (tree.refused.some(({ name }) => name === showKeys([key]))) continue
      const names = [...into.strip, ...layout.pathOfFolder(task.folder), Buffer.from(key, 'latin1')]
      throw restoreError('restore.path-missing', { path: showPath(names) })
    }
    if (names && directory) {
      for (const name of directory.names()) {
        const isRefused = tree.refused.some((node) => node.name === quoteName(name))
        if (!names.has(keyOf(name)) && !isRefused) layout.removals.push({ folder: task.folder, name, first: false })
      }
    }
    if (directory) this.#folders!.release(task.folder)
    if (candidates.length > 0) into.candidates.push(candidates)
  }

  #addSubfolder(
    place: { readonly folder: number; readonly piece: number; readonly at: number },
    record: NodeRecord,
    { found, wanted, next }: { found: Status | undefined; wanted: Selection | undefined; next: OpenTask[] },
  ): void {
    let state: number = folderState.create
    if (found?.type === 'dir') {
      state = wanted || this.#existing === 'keep' ? folderState.pass : folderState.merge
    } else if (found) {
      if (this.#existing === 'keep') {
        this.#find(
          'notice',
          this.#show(place.folder, record),
          'what is there is no folder and stays; nothing below it is restored',
        )
        return
      }
      state = folderState.replace
    }
    const folder = this.layout.folders.push(place.folder, place.piece, place.at, state)
    const tree = Buffer.from(record.subtree).toString('hex')
    next.push({ folder, tree, selection: wanted, present: found?.type === 'dir' })
  }

  #addEntry(
    place: { readonly folder: number; readonly piece: number; readonly at: number },
    record: NodeRecord,
    {
      found,
      directory,
      candidates,
    }: { found: Status | undefined; directory: Directory | undefined; candidates: Candidate[] },
  ): void {
    const places = record.type === 'file' ? this.#placesOf(record) : []
    if (typeof places === 'string') return this.#find('damage', this.#show(place.folder, record), places)
    const { entries, identities } = this.layout
    const add = (action: number, link = noLink): number =>
      entries.push(place.folder, place.piece, place.at, action, 0, link)

    if (found && this.#existing === 'keep') return void add(entryAction.keep)
    if (found?.type === 'dir' && !this.#clearFolder(place.folder, record)) return
    const action = found && found.type !== 'dir' ? entryAction.replace : entryAction.create

    const key = record.links > 1 && record.inode !== 0n ? identityOf(record) : undefined
    const owner = key === undefined ? undefined : this.#linked.get(key)
    if (owner !== undefined) return void add(action, owner)

    if (found && directory && record.type !== 'file' && isSame(directory, record, found)) {
      const entry = add(entryAction.unchanged)
      identities.set(entry, { inode: found.inode, ctimeNs: 0n, links: found.links })
      if (key !== undefined) this.#linked.set(key, entry)
      return
    }
    const entry = add(action)
    if (key !== undefined) this.#linked.set(key, entry)
    if (found?.type === 'file' && record.type === 'file' && found.size === record.size) {
      candidates.push({ entry, places })
    } else {
      this.#addWrites(entry, places)
    }
  }

  /** A whole folder goes only where the request says that things may go. */
  #clearFolder(folder: number, record: NodeRecord): boolean {
    if (this.#delete) {
      this.layout.removals.push({ folder, name: record.name, first: true })
      return true
    }
    this.#find('failed', this.#show(folder, record), 'a folder stands in its place, and stays')
    return false
  }

  /** Where the blobs of a file lie, or why it cannot be restored. */
  #placesOf(record: NodeRecord): BlobLocation[] | string {
    const places: BlobLocation[] = []
    let size = 0
    let missing = 0
    for (let at = 0; at < record.content.length; at += 32) {
      const [place] = this.#source.index.find('data', record.content.subarray(at, at + 32))
      if (!place) {
        missing++
        continue
      }
      const plain = plainLengthOf(place)
      if (plain < 0 || plain > largestBlob.data || place.length > largestBlob.data) {
        return `one of its blobs would have ${plain} bytes, which none has`
      }
      size += plain
      places.push(place)
    }
    if (missing > 0) return `${missing} of the ${record.content.length / 32} blobs of its content are in no pack`
    if (size !== record.size) return `it should have ${record.size} bytes, and its content has ${size}`
    return places
  }

  #addWrites(entry: number, places: readonly BlobLocation[]): void {
    const { layout } = this
    let position = 0
    for (const [index, place] of places.entries()) {
      const [high, low] = [Math.floor(position / 2 ** 32), position % 2 ** 32]
      const pack = layout.packNumber(place.packId)
      layout.writes.push(entry, index, pack, place.offset, place.length, place.uncompressedLength, high, low)
      position += plainLengthOf(place)
    }
    layout.entries.set(entry, 'blobs', places.length)
    this.bytes += position
  }

  /** Decides for each file that has the right size whether it has the right content. */
  async #compare(folders: readonly (readonly Candidate[])[], signal?: AbortSignal): Promise<void> {
    const batches = folders.flatMap((files) =>
      Array.from({ length: Math.ceil(files.length / filesOfComparison) }, (_, number) =>
        files.slice(number * filesOfComparison, (number + 1) * filesOfComparison),
      ),
    )
    if (batches.length > 1) this.#crew.hire()
    const compare = async (files: readonly Candidate[]): Promise<void> => {
      signal?.throwIfAborted()
      const folder = this.layout.entries.get(files[0]!.entry, 'folder')
      const directory = this.#folders?.acquire(folder)
      if (!directory) return this.#takeOver(files, [])
      try {
        const { equal } = await this.#crew.run(this.#comparison(directory, files))
        this.#takeOver(files, equal)
      } finally {
        this.#folders!.release(folder)
      }
    }
    for await (const _ of mapInOrder(batches, compare, this.#crew.jobsAhead)) {
      // because the results were taken over, and only the end is waited for
    }
  }

  #comparison(directory: Directory, files: readonly Candidate[]): CompareJob {
    const writer = new RecordWriter()
    const { entries, pieces } = this.layout
    for (const { entry } of files) writer.copy(pieces[entries.get(entry, 'piece')]!, entries.get(entry, 'at'))
    const lengths = Uint32Array.from(files.flatMap(({ places }) => places.map(plainLengthOf)))
    return { kind: 'compare', folder: directory.fd, records: writer.take(), lengths }
  }

  #takeOver(files: readonly Candidate[], equal: readonly (FileIdentity | undefined)[]): void {
    for (const [number, { entry, places }] of files.entries()) {
      const identity = equal[number]
      if (identity && this.#isOwnFile(identity)) {
        this.layout.entries.set(entry, 'action', entryAction.unchanged)
        this.layout.identities.set(entry, identity)
      } else {
        this.#addWrites(entry, places)
      }
    }
  }

  /** Two files of the snapshot cannot both stay what is one file here. */
  #isOwnFile({ inode, links }: FileIdentity): boolean {
    if (links === 1) return true
    if (this.#sharedInodes.has(inode)) return false
    this.#sharedInodes.add(inode)
    return true
  }

  #show(folder: number, record: NodeRecord): string {
    return showPath([...this.layout.pathOfFolder(folder), record.name])
  }
}

/** What has the name now. Where nobody can tell, creating the entry will say what is wrong. */
function look(directory: Directory, name: Uint8Array): Status | undefined {
  try {
    return directory.findStatus(name)
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    return undefined
  }
}

/**
 * Equal for names of one file. The content is part of it, because a tree that somebody made can claim one inode for two
 * files.
 */
function identityOf(record: NodeRecord): string {
  const content = Buffer.concat([bufferOf(record.content), bufferOf(record.linkTarget)])
  return `${record.type} ${record.deviceId} ${record.inode} ${record.device} ${sha256Hex(content)}`
}

/** Whether an entry that is no file is the one of the snapshot already, but for its metadata. */
function isSame(directory: Directory, record: NodeRecord, found: Status): boolean {
  if (found.type !== record.type) return false
  try {
    if (record.type === 'symlink') return Buffer.compare(directory.readLink(record.name), record.linkTarget) === 0
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    return false
  }
  return record.type === 'fifo' || found.device === record.device
}
