import type { Directory } from '../filesystem/directory.ts'
import type { Status } from '../filesystem/status.ts'
import { quoteName } from '../format/name.ts'
import type { BlobLocation } from '../repository/blob-index.ts'
import { CandidateComparison, type Candidate } from './compare-candidates.ts'
import { Crew } from './crew.ts'
import { restoreError } from './errors.ts'
import { identityOf, isSame, look } from './existing.ts'
import { findTop, type Top } from './find-top.ts'
import type { RestoreFinding } from './finding.ts'
import { entryAction, folderState, Layout, noLink } from './layout.ts'
import { readRecord, RecordWriter, recordLength, type NodeRecord } from './node-record.ts'
import { OpenFolders } from './open-folders.ts'
import { addWrites, placesOf } from './plan-writes.ts'
import { readTrees } from './read-trees.ts'
import type { ExistingPolicy, RestoreRequest } from './request.ts'
import { RestorePlan } from './restore-plan.ts'
import { keyOf, readScope, showKeys, showPath, type Selection } from './selection.ts'
import type { BlobSource } from './source.ts'
import { openTarget } from './target.ts'
import { isTemporaryName } from './write-files.ts'

const defaultMaximumEntries = 10_000_000
/** Trees of one depth from which on threads are worth their start. */
const manyTrees = 512

/** Folders whose trees are read together, so that what is known of them only meanwhile does not fill the memory. */
const foldersAtOnce = 16 * 1024

/** A folder whose tree is still to be read. */
interface OpenTask {
  readonly folder: number
  /** undefined: everything below is wanted. */
  readonly selection: Selection | undefined
  /** Whether the folder is there already. */
  readonly present: boolean
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

class Planner {
  readonly layout = new Layout()
  readonly findings: RestoreFinding[] = []
  bytes = 0
  readonly #source: BlobSource
  readonly #crew: Crew
  readonly #root: Directory | undefined
  readonly #existing: ExistingPolicy
  readonly #delete: boolean
  readonly #sweep: boolean
  readonly #maximumEntries: number
  /** What tells hard links of one file apart from others → the entry that is written. */
  readonly #linked = new Map<string, number>()
  readonly #comparison: CandidateComparison
  #folders: OpenFolders | undefined

  constructor(source: BlobSource, request: RestoreRequest, crew: Crew, root: Directory | undefined) {
    this.#source = source
    this.#crew = crew
    this.#root = root
    this.#existing = request.existing ?? 'refuse'
    this.#delete = request.delete === true && this.#existing === 'overwrite'
    this.#sweep = request.sweep === true
    this.#maximumEntries = request.maximumEntries ?? defaultMaximumEntries
    this.#comparison = new CandidateComparison(this.layout, crew, (entry, places) => this.#addWrites(entry, places))
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

    let level: OpenTask[] = [{ folder: 0, selection, present: folders !== undefined }]
    while (level.length > 0) {
      const next: OpenTask[] = []
      for (let start = 0; start < level.length; start += foldersAtOnce) {
        await this.#open(level.slice(start, start + foldersAtOnce), { top, next, strip }, signal)
      }
      if (next.length > 0) layout.levels.push(next[0]!.folder)
      level = next
    }
  }

  /** Takes in some folders of one level. */
  async #open(
    tasks: readonly OpenTask[],
    { top, next, strip }: { readonly top: Top; readonly next: OpenTask[]; readonly strip: readonly Uint8Array[] },
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted()
    const { layout } = this
    const ids = tasks.map(({ folder }) => (folder === 0 ? top.tree : treeOf(layout, folder)))
    const distinct = [...new Set(ids)]
    if (distinct.length >= manyTrees) this.#crew.hire()
    const trees = await readTrees(this.#source, layout, this.#crew, distinct, signal)
    const candidates: Candidate[][] = []
    for (const [nth, task] of tasks.entries()) {
      const tree = trees.get(ids[nth]!)!
      if (typeof tree !== 'string') {
        this.#addFolder(task, tree, { next, candidates, strip })
        continue
      }
      if (task.folder === 0) await this.#source.loadBlob('tree', top.tree, signal)
      this.#find('damage', layout.showFolder(task.folder), `what is in it cannot be read: ${tree}`)
    }
    await this.#comparison.compare(candidates, this.#folders, signal)
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
    if (this.#sweep && directory) this.#sweepFolder(task.folder, directory)
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

  #sweepFolder(folder: number, directory: Directory): void {
    for (const name of directory.names()) {
      if (isTemporaryName(name)) this.layout.removals.push({ folder, name, first: true })
    }
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
    next.push({ folder, selection: wanted, present: found?.type === 'dir' })
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
    const places = record.type === 'file' ? placesOf(this.#source, record) : []
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

  #addWrites(entry: number, places: readonly BlobLocation[]): void {
    this.bytes += addWrites(this.layout, entry, places)
  }

  #show(folder: number, record: NodeRecord): string {
    return showPath([...this.layout.pathOfFolder(folder), record.name])
  }
}

/** Hex id of the tree of a folder below the top. */
function treeOf(layout: Layout, folder: number): string {
  return Buffer.from(layout.recordOfFolder(folder).subtree).toString('hex')
}
