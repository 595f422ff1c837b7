import type { Content, FolderPart, Part, RemoteFolderPart } from '#engine'
import type { Host } from './host/host.ts'
import { placeOf } from './placement.ts'
import { rawPathOf, relativeTo, shownPath, type RawPath } from './raw-path.ts'
import type { DumpContext, Omission } from './source.ts'
import { dumpSource, type PlannedSource } from './table.ts'

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
  context: DumpContext,
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
  const joined = parts.map((part) => (isOfFiles(part) ? withChanges(part, replaced, omitted, held) : part))
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

function withChanges(
  part: AnyFolderPart,
  replaced: ReadonlyMap<RawPath, Content>,
  omitted: ReadonlyMap<RawPath, Omission>,
  held: Set<RawPath>,
): AnyFolderPart {
  const folder = part.kind === 'folder' ? rawPath(part.path) : part.path
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
