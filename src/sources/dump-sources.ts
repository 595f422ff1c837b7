import type { Content, EntryKind, FolderPart, Part, RemoteFolderPart } from '#engine'
import type { Host } from './host/host.ts'
import { placeOf, snapshotFolders } from './placement.ts'
import { foldersAbove, rawPathOf, relativeTo, shownPath, type RawPath } from './raw-path.ts'
import type { DumpContext, Omission } from './source.ts'
import { dumpSource, type PlannedSource } from './table.ts'

/** What is wanted of a dump beyond its sources. */
export interface JoinContext extends DumpContext {
  /** What is taken although patterns leave it out, where it is there; absolute. Asked once for each folder. */
  readonly also?: () => Iterable<{ readonly path: RawPath; readonly kind: EntryKind }>
}

/**
 * Dumps sources and joins what they yield into the parts of one snapshot: bytes that replace a file, and files that
 * another source has already, are entered into the folders that hold them.
 *
 * A replaced file that no folder holds becomes a part of its own. Findings and artifacts arrive at the context until the
 * last part has been archived.
 *
 * @param project - the project's folder, absolute.
 */
export async function dumpSources(
  project: string,
  sources: readonly PlannedSource[],
  context: JoinContext,
  signal?: AbortSignal,
): Promise<Part[]> {
  const parts: Part[] = []
  const replaced = new Map<RawPath, Content>()
  const omitted = new Map<RawPath, Omission>()
  for (const source of sources) {
    for await (const part of dumpSource(source, context, signal)) {
      if (part.kind === 'replace') replaced.set(part.path, part.content)
      else if (part.kind === 'omit') omitted.set(part.path, part)
      else parts.push(part)
    }
  }
  const held = new Set<RawPath>()
  const all = context.also ? withBesides(parts, rawPathOf(project), context.host, context.also) : parts
  const joined = all.map((part) => (isOfFiles(part) ? withChanges(part, replaced, omitted, held) : part))
  const lone = new Map([...replaced].filter(([path]) => !held.has(path)))
  joined.push(...foldersOf(context.host, rawPathOf(project), lone, omitted))
  const isReplaced = (part: Part): boolean =>
    (part.kind === 'file' && replaced.has(rawPath(part.path))) ||
    (part.kind === 'remote-file' && replaced.has(part.path))
  return joined.filter((part) => !isReplaced(part))
}

/** A folder here or elsewhere. */
type AnyFolderPart = FolderPart | RemoteFolderPart

/** Omissions concern the files: what omits a file there holds it in a folder of its own. */
function isOfFiles(part: Part): part is AnyFolderPart {
  return (
    (part.kind === 'folder' || part.kind === 'remote-folder') && (part.at === 'files' || part.at.startsWith('files/'))
  )
}

/** The folders with what patterns leave out of them and is wanted all the same; the project's own among them, where it has none. */
function withBesides(
  parts: readonly Part[],
  project: RawPath,
  host: Host,
  also: NonNullable<JoinContext['also']>,
): Part[] {
  const nothing = host.folderPart({ at: snapshotFolders.files, path: project, leaveOut: () => true })
  const isThere = parts.some(({ at }) => at === snapshotFolders.files)
  const all = isThere ? parts : [...parts, nothing]
  return all.flatMap((part) => {
    if (!isOfFiles(part) || !part.leaveOut) return [part]
    const { leaveOut } = part
    const wanted = leftOutOf(part, also())
    if (wanted.size === 0) return part === nothing ? [] : [part]
    const isTaken = (path: RawPath, kind: EntryKind): boolean => {
      if (wanted.has(path)) return true
      // Because of a folder that is left out nothing is taken but what is wanted of it.
      const slash = path.lastIndexOf('/')
      return !(slash !== -1 && wanted.has(path.slice(0, slash))) && !leaveOut(path, kind)
    }
    return [{ ...part, leaveOut: (path: RawPath, kind: EntryKind) => !isTaken(path, kind) }]
  })
}

/** Those of some paths that a folder leaves out, relative to it, with the folders that they are in and that it leaves out too. */
function leftOutOf(
  part: AnyFolderPart,
  some: Iterable<{ readonly path: RawPath; readonly kind: EntryKind }>,
): Set<RawPath> {
  const folder = folderOf(part)
  const closed = new Map<RawPath, boolean>()
  const found = new Set<RawPath>()
  for (const { path, kind } of some) {
    const relative = relativeTo(folder, path)
    if (relative === undefined) continue
    let isClosed = false
    const above: RawPath[] = []
    for (const one of foldersAbove(relative)) {
      const known: boolean = closed.get(one) ?? (isClosed || part.leaveOut!(one, 'dir'))
      closed.set(one, known)
      isClosed = known
      if (isClosed) above.push(one)
    }
    if (!isClosed && !part.leaveOut!(relative, kind)) continue
    for (const one of above) found.add(one)
    found.add(relative)
  }
  return found
}

function folderOf(part: AnyFolderPart): RawPath {
  return part.kind === 'folder' ? rawPath(part.path) : part.path
}

function withChanges(
  part: AnyFolderPart,
  replaced: ReadonlyMap<RawPath, Content>,
  omitted: ReadonlyMap<RawPath, Omission>,
  held: Set<RawPath>,
): AnyFolderPart {
  const folder = folderOf(part)
  const replace = new Map<RawPath, Content>()
  for (const [path, content] of replaced) {
    const relative = relativeTo(folder, path)
    if (relative === undefined || isLeftOut(part, relative)) continue
    replace.set(relative, content)
    held.add(path)
  }
  const omit = within(folder, omitted)
  return {
    ...part,
    replace,
    leaveOut: (path, kind) => isOmitted(omit.get(path)) || (part.leaveOut?.(path, kind) ?? false),
  }
}

function within(folder: RawPath, omitted: ReadonlyMap<RawPath, Omission>): Map<RawPath, Omission> {
  const inside = new Map<RawPath, Omission>()
  for (const [path, omission] of omitted) {
    const relative = relativeTo(folder, path)
    if (relative !== undefined) inside.set(relative, omission)
  }
  return inside
}

function isOmitted(omission: Omission | undefined): boolean {
  return omission !== undefined && !omission.unless?.()
}

function isLeftOut({ leaveOut }: AnyFolderPart, path: RawPath): boolean {
  if (!leaveOut) return false
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    if (leaveOut(path.slice(0, at), 'dir')) return true
  }
  return leaveOut(path, 'file')
}

/** Folder parts that hold nothing but some replaced files, and what belongs to them, so that their metadata is their own. */
function foldersOf(
  host: Host,
  project: RawPath,
  replaced: ReadonlyMap<RawPath, Content>,
  omitted: ReadonlyMap<RawPath, Omission>,
): Part[] {
  const folders = new Map<RawPath, Map<RawPath, Content>>()
  for (const [path, content] of replaced) {
    const slash = path.lastIndexOf('/')
    const folder = path.slice(0, slash) || '/'
    const files = folders.get(folder) ?? new Map<RawPath, Content>()
    folders.set(folder, files.set(path.slice(slash + 1), content))
  }
  return [...folders].map(([folder, replace]) => {
    const omit = within(folder, omitted)
    return host.folderPart({
      at: shownPath(placeOf(project, folder)),
      path: folder,
      leaveOut: (relative) => !replace.has(relative) && !omit.get(relative)?.unless?.(),
      replace,
    })
  })
}

function rawPath(path: string | Uint8Array): RawPath {
  return typeof path === 'string' ? rawPathOf(path) : Buffer.from(path).toString('latin1')
}
