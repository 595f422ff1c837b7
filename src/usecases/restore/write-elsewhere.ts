import { AppError, textOf } from '#base'
import {
  loadExport,
  type EntryKind,
  type PlannedChange,
  type Repository,
  type RestorePlan,
  type TarEntry,
} from '#engine'
import type { Project } from '#model'
import { rawPathOf, shownPath, type Host, type RawPath } from '#sources'
import { usecaseError } from '../errors.ts'
import type { PlannedWrites, WrittenFolder } from './planned-writes.ts'

/** Where files lie until all of them are there, below the folder that they are for, so that a rename puts each in its place. */
const stageName = '.bewaar-restore.part'

/** GNU tar, as whoever it runs as: names of owners on another server are not those of this one. */
const unpack = ['--extract', '--file=-', '--numeric-owner', '--same-permissions', '--xattrs', '--xattrs-include=*']

/** What a restore to another server needs there. @throws `restore.elsewhere` with what is missing. */
export async function assertWritable(project: Project, host: Host, signal: AbortSignal): Promise<void> {
  const refuse = (reason: string, cause?: unknown): Error =>
    usecaseError('restore.elsewhere', { project: project.name, place: host.place, reason }, cause)
  let answer: string
  try {
    answer = await host.run({ program: 'sh', args: ['-c', probeScript, 'sh', project.path] }, signal)
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError) || thrown.kind === 'unavailable') throw thrown
    throw refuse(textOf(thrown), thrown)
  }
  if (answer.trim() !== 'good') throw refuse(answer.trim())
}

const probeScript = `
for program in tar find mv; do
  "$program" --version 2>/dev/null | grep -q GNU || { echo "there is no GNU $program"; exit 0; }
done
at=$1
while [ ! -e "$at" ]; do at=$(dirname -- "$at"); done
[ -d "$at" ] && [ -w "$at" ] || { echo "$(id -un) may not write to $at"; exit 0; }
echo good`

/** One folder that is written to on another server. */
export interface FolderElsewhere {
  readonly snapshot: { readonly repository: Repository; readonly tree: string }
  readonly host: Host
  /** Folder in the snapshot that becomes the target. */
  readonly strip: string
  /** Paths in the snapshot; everything below `strip` when it is absent. */
  readonly include?: readonly string[]
  /** Folders that are there keep their metadata. */
  readonly keepFolders: boolean
  /** Absolute. */
  readonly target: string
  /** Databases that this puts in place, absolute. */
  readonly databases: readonly string[]
}

/** A plan as if for an empty folder, seen with what is there. */
export class WritesElsewhere implements PlannedWrites {
  readonly target: Buffer
  readonly counts: RestorePlan['counts']
  readonly bytes: number
  readonly findings: RestorePlan['findings']
  readonly layout: RestorePlan['layout']
  readonly #plan: RestorePlan
  readonly #there: ReadonlyMap<RawPath, EntryKind>

  private constructor(folder: FolderElsewhere, plan: RestorePlan, there: ReadonlyMap<RawPath, EntryKind>) {
    this.#plan = plan
    this.#there = there
    this.target = Buffer.from(folder.target)
    this.bytes = plan.bytes
    this.layout = plan.layout
    const inTheWay = this.inTheWay().map(({ path }) => ({
      severity: 'failed' as const,
      path: path.toString(),
      text: 'a folder stands in its place, and stays',
    }))
    this.findings = [...plan.findings, ...inTheWay]
    const counts = { folders: 0, created: 0, overwritten: 0, unchanged: 0, kept: inTheWay.length, removed: 0 }
    for (const { change, type } of this.changes()) {
      if (change === 'create') counts[type === 'dir' ? 'folders' : 'created']++
      else if (change === 'overwrite') counts.overwritten++
    }
    this.counts = counts
  }

  /** @param plan - of the same, for a folder that is not there. @throws errors of the connection. */
  static async look(folder: FolderElsewhere, plan: RestorePlan): Promise<WritesElsewhere> {
    const there = new Map<RawPath, EntryKind>()
    const listed = new Map<RawPath, ReadonlyMap<RawPath, EntryKind>>()
    const target = rawPathOf(folder.target)
    const kindOf = async (path: RawPath): Promise<EntryKind | undefined> => {
      const slash = path.lastIndexOf('/')
      const above = path.slice(0, Math.max(slash, 0))
      if (above !== '' && there.get(above) !== 'dir') return undefined
      let names = listed.get(above)
      if (!names) listed.set(above, (names = await namesIn(folder.host, above === '' ? target : `${target}/${above}`)))
      return names.get(path.slice(slash + 1))
    }
    for (const { path } of plan.changes()) {
      const raw = path.toString('latin1')
      const kind = await kindOf(raw)
      if (kind !== undefined) there.set(raw, kind)
    }
    return new WritesElsewhere(folder, plan, there)
  }

  *changes(only?: PlannedChange['change']): Generator<PlannedChange, void, void> {
    for (const planned of this.#plan.changes()) {
      const change = this.#changeOf(planned)
      if (only === undefined || change === only) yield { ...planned, change }
    }
  }

  /** What cannot be written, because a folder is there. */
  inTheWay(): PlannedChange[] {
    return [...this.changes('keep')]
  }

  #changeOf({ path, type }: PlannedChange): PlannedChange['change'] {
    const kind = this.#there.get(path.toString('latin1'))
    if (kind === undefined) return 'create'
    if (kind !== 'dir') return 'overwrite'
    return type === 'dir' ? 'unchanged' : 'keep'
  }
}

async function namesIn(host: Host, folder: RawPath): Promise<ReadonlyMap<RawPath, EntryKind>> {
  try {
    return new Map((await host.list(folder)).map(({ name, kind }) => [name, kind]))
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return new Map()
    throw thrown
  }
}

/**
 * Brings a folder of a snapshot to another server: all files into a folder beside their places first; then each takes its name by a
 * rename, so that whoever looks sees the old one or the new one; then folders get their metadata. Until the renames nothing that was
 * there is touched, and doing it again completes what was cut off.
 *
 * @throws what keeps the vault from being read; `program.failed` with the words of the program there.
 */
export async function writeElsewhere(
  folder: FolderElsewhere,
  writes: WritesElsewhere,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<WrittenFolder> {
  const { host, target, databases } = folder
  const kept = new Set<RawPath>()
  for (const { path } of writes.inTheWay()) {
    const raw = path.toString('latin1')
    // Because an earlier step may have taken it away.
    if ((await host.findStatus(`${rawPathOf(target)}/${raw}`))?.kind === 'dir') kept.add(raw)
  }
  const { writeTar } = await loadExport()
  const counts = { files: 0, bytes: 0 }
  const contents = counted(entriesOf(folder, 'contents', signal), kept, (bytes) => {
    counts.files++
    counts.bytes += bytes
    progress(counts.bytes)
  })
  await host.run({ program: 'sh', args: ['-c', stageScript, 'sh', target], input: writeTar(contents) }, signal)
  const cleared: RawPath[] = []
  for (const { path, type } of writes.changes('overwrite'))
    if (type === 'dir') cleared.push(`${rawPathOf(target)}/${path.toString('latin1')}`)
  // Because a log of what a database was would be played into what it is then.
  for (const path of databases) for (const end of ['-wal', '-shm', '-journal']) cleared.push(rawPathOf(path + end))
  const input = Buffer.from(cleared.map((path) => `${path}\0`).join(''), 'latin1')
  await host.run({ program: 'sh', args: ['-c', placeScript, 'sh', target], input }, signal)
  const known = folder.keepFolders
    ? new Set(Array.from(writes.changes('create'), ({ path }) => path.toString('latin1')))
    : undefined
  const folders = onlyKnown(entriesOf(folder, 'folders', signal), known)
  await host.run({ program: 'tar', args: [...unpack, `--directory=${target}`], input: writeTar(folders) }, signal)
  const findings = Array.from(kept, (path) => ({
    severity: 'failed' as const,
    path: shownPath(path),
    text: 'a folder stands in its place, and stays',
  }))
  return { ...counts, findings }
}

const stageScript = `set -e
mkdir -p -- "$1"
cd -- "$1"
rm -rf ${stageName}
mkdir -m 700 ${stageName}
tar ${unpack.map((word) => `'${word}'`).join(' ')} --directory=${stageName}
sync -f ${stageName} 2>/dev/null || sync`

/** A folder that is there keeps its mode; one that is made is closed until its own comes. */
const placeScript = `set -e
cd -- "$1"
xargs -0 -r rm -f --
cd ${stageName}
find . -mindepth 1 -type d -print0 | (cd .. && xargs -0 -r mkdir -p -m 700 --)
find . -type d -exec sh -c '
  for folder; do
    find "$folder" -maxdepth 1 -mindepth 1 ! -type d -print0 | xargs -0 -r mv -f -t "../$folder" -- || exit 1
  done' sh {} +
cd ..
rm -rf ${stageName}
sync -f . 2>/dev/null || sync`

async function* entriesOf(
  { snapshot, strip, include }: FolderElsewhere,
  only: 'folders' | 'contents',
  signal: AbortSignal,
): AsyncGenerator<TarEntry, void, void> {
  const { repository, tree } = snapshot
  const { readTree } = await loadExport()
  const wanted = include ?? [strip]
  const isWanted = (path: string): boolean => wanted.some((one) => path === one || path.startsWith(`${one}/`))
  const start = Buffer.byteLength(strip) + 1
  const request = { tree, prefix: '', include: wanted, only, onLeftOut: () => {} }
  for await (const { header, inTree, content } of readTree(repository, request, signal)) {
    // Because folders on the way to what is wanted are left as they are.
    if (!isWanted(inTree.toString())) continue
    const path = inTree.length < start ? Buffer.from('.') : header.path.subarray(start)
    const target = header.kind === 'link' ? Buffer.from(header.target!).subarray(start) : header.target
    yield { header: { ...header, path, ...(target && { target }) }, ...(content && { content }) }
  }
}

async function* counted(
  entries: AsyncIterable<TarEntry>,
  leftOut: ReadonlySet<RawPath>,
  onEntry: (bytes: number) => void,
): AsyncGenerator<TarEntry, void, void> {
  for await (const entry of entries) {
    if (leftOut.has(entry.header.path.toString('latin1'))) continue
    yield entry
    onEntry(entry.header.size)
  }
}

async function* onlyKnown(
  entries: AsyncIterable<TarEntry>,
  known: ReadonlySet<RawPath> | undefined,
): AsyncGenerator<TarEntry, void, void> {
  for await (const entry of entries) if (!known || known.has(entry.header.path.toString('latin1'))) yield entry
}

/** Removes files and links one by one, and folders that nothing is left in, from the deepest up. @returns what stays. */
export async function removeElsewhere(host: Host, paths: readonly RawPath[], signal: AbortSignal): Promise<string[]> {
  const byDepth = paths.toSorted((a, b) => b.split('/').length - a.split('/').length)
  const input = Buffer.from(byDepth.map((path) => `${path}\0`).join(''), 'latin1')
  const out = await host.run({ program: 'sh', args: ['-c', removeScript], input }, signal)
  return out.split('\n').filter((line) => line !== '')
}

const removeScript = `xargs -0 -r sh -c '
  for path; do
    if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir -- "$path" 2>/dev/null
    else rm -f -- "$path" || printf "%s\\n" "$path"; fi
  done; true' sh`
