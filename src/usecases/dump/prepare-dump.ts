import { basename } from 'node:path'

import { findFile } from '#engine'
import type { Artifact, Finding, Project, Vault } from '#model'
import { databaseFile, localHost, rawPathOf, selectTables } from '#sources'
import { usecaseError } from '../errors.ts'
import type { Wanted } from '../restore/choose-backup.ts'
import type { SnapshotLayout } from '../restore/layout.ts'
import { openBackup } from '../restore/open-backup.ts'
import { formatOf, isServerDump } from '../restore/server-databases.ts'
import type { Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'

export interface DumpRequest {
  readonly wanted: Wanted
  readonly vault?: Vault | undefined
  /** Its name on its server, or that of its file. */
  readonly database?: string | undefined
  /** Of a dump, these alone; all of it when the list is empty. */
  readonly tables: readonly string[]
  /** A file in the snapshot, or relative to the project's folder. */
  readonly path?: string | undefined
}

/** One file of a snapshot that is about to be read. It holds its repository locked. */
export interface PreparedDump extends AsyncDisposable {
  readonly project: string
  readonly vault: string
  readonly snapshot: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** In the snapshot. */
  readonly path: string
  /** Of the file, whatever is taken of it. */
  readonly bytes: number
  /** Whether the manifest knows its SHA-256. */
  readonly hasChecksum: boolean
  readonly findings: readonly Finding[]
  /** Vaults that could not be looked at. */
  readonly troubles: readonly { readonly vault: string; readonly error: unknown }[]
  /**
   * The bytes, each blob verified before it is given out, and the whole at the end.
   *
   * @throws `restore.checksum`; `source.table-missing` and `source.dump-refused` when the dump has been read.
   */
  stream(signal: AbortSignal): AsyncIterable<Uint8Array>
}

/**
 * Finds one file, or one dump of a database, in a backup.
 *
 * @throws `restore.no-backup`; `dump.unknown`, `dump.several`, `dump.no-tables`; `restore.path-missing`; what keeps the vault
 * from being read.
 */
export async function prepareDump(
  services: PlaceServices & Pick<Services, 'catalog'>,
  project: Project,
  request: DumpRequest,
  signal: AbortSignal,
): Promise<PreparedDump> {
  await using guard = new AsyncDisposableStack()
  const { chosen, snapshot, findings } = guard.use(await openBackup(services, project, request, signal))
  const { repository, tree, layout } = snapshot
  const path = request.path === undefined ? undefined : pathIn(layout, request.path)
  const artifact = path === undefined ? chooseDump(project, snapshot, request) : artifactAt(layout, path)
  const tables = request.tables
  if (tables.length > 0 && !(artifact && isServerDump(artifact))) {
    throw usecaseError('dump.no-tables', { path: path ?? artifact!.path })
  }
  const place = path === undefined ? Buffer.from(artifact!.path, 'latin1') : path
  const found = await findFile(repository, tree, place, signal)
  const temporary = guard.use(await services.temporaryFolder())
  const open = (stop: AbortSignal): AsyncIterable<Uint8Array> => {
    const bytes = found.open(artifact?.sha256, stop)
    if (tables.length === 0) return bytes
    const kind = artifact!.kind as 'postgresql' | 'mysql'
    const host = localHost(temporary.path)
    return selectTables(bytes, { kind, format: formatOf(artifact!), database: nameOf(artifact!), tables, host }, stop)
  }
  const held = guard.move()
  return {
    project: project.name,
    vault: chosen.vault.name,
    snapshot: chosen.snapshot.id,
    time: chosen.snapshot.time,
    path: path ?? nameFor(artifact!),
    bytes: found.size,
    hasChecksum: artifact?.sha256 !== undefined,
    findings,
    troubles: chosen.troubles,
    stream: open,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** As `--path` of a restore: paths begin at the top of the snapshot, or in the project's folder. */
function pathIn({ top }: SnapshotLayout, path: string): string {
  const clean = path.replace(/^\/+|\/+$/g, '')
  return top.includes(clean.split('/')[0]!) || !top.includes('files') ? clean : `files/${clean}`
}

function artifactAt({ manifest }: SnapshotLayout, path: string): Artifact | undefined {
  return manifest?.artifacts.find((artifact) => artifact.path === rawPathOf(path))
}

const databases = new Set(['postgresql', 'mysql', 'sqlite', 'json'])

function chooseDump(
  project: Project,
  { id, layout }: { readonly id: string; readonly layout: SnapshotLayout },
  { database }: DumpRequest,
): Artifact {
  const all = (layout.manifest?.artifacts ?? []).filter(({ kind }) => databases.has(kind))
  const about = { snapshot: id.slice(0, 8), project: project.name, known: all.map(nameOf).join(', ') || 'none' }
  if (database === undefined) {
    const dumps = all.filter(isServerDump)
    const some = dumps.length > 0 ? dumps : all
    if (some.length === 1) return some[0]!
    throw usecaseError('dump.several', { ...about, count: some.length })
  }
  const found = all.filter((artifact) => isCalled(artifact, database))
  if (found.length === 1) return found[0]!
  throw usecaseError('dump.unknown', { ...about, database })
}

/** The path as people read it. */
function nameFor({ path }: Artifact): string {
  return Buffer.from(path, 'latin1').toString()
}

function nameOf(artifact: Artifact): string {
  const path = nameFor(artifact)
  return isServerDump(artifact) ? stemOf(basename(path)) : path
}

/** By its path, its file with and without an ending, or its name on the server. */
function isCalled(artifact: Artifact, database: string): boolean {
  const file = basename(nameFor(artifact))
  const names = [nameFor(artifact), file, stemOf(file)]
  const ofServer = ['sql', 'dump'].map((ending) => databaseFile(database, ending))
  return names.includes(database) || (isServerDump(artifact) && ofServer.includes(file))
}

function stemOf(file: string): string {
  return file.replace(/\.[^.]*$/, '')
}
