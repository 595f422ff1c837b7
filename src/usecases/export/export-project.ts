import { AppError, formatBytes, textOf } from '#base'
import { loadExport } from '#engine'
import type { Artifact, Finding, KnownSnapshot, Project, Vault } from '#model'
import { usecaseError } from '../errors.ts'
import { chooseBackup, type Wanted } from '../restore/choose-backup.ts'
import { pathsOf, readLayout, type RestorablePart, type SnapshotLayout } from '../restore/layout.ts'
import { whoOf, type Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'
import { exportInstructions, openingCommands } from './instructions.ts'
import { describeSeal, endingOf, prepareSeal, type Seal } from './seal.ts'
import { countTables, FileNames, type DatabaseTables, type TableScene } from './table-files.ts'
import { exportEntries, type ExportContent } from './write-export.ts'

export interface ExportRequest {
  /** A year: the last backup that was made in that year of the calendar. */
  readonly wanted: Wanted | { readonly kind: 'year'; readonly year: string }
  readonly vault?: Vault | undefined
  /** Parts of the project; all of them when the list is empty. */
  readonly only: readonly RestorablePart[]
  readonly seal: Seal
}

/** An export that is about to be written, once. It holds its repository locked. */
export interface PreparedExport extends AsyncDisposable {
  readonly report: ExportReport
  /** The sealed bytes, as they are made. @throws what keeps the snapshot from being read; words of age and gpg. */
  stream(signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Writes them into a file that is not there yet. @returns its size. @throws `export.exists`; `export.unwritable`. */
  save(file: string, signal: AbortSignal): Promise<number>
}

/** What an export holds, and how it is opened. */
export interface ExportReport {
  readonly project: string
  readonly vault: string
  readonly snapshot: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** What its file is called when nobody says otherwise. */
  readonly name: string
  /** Plain size of what is exported of the snapshot, when all of it is. */
  readonly bytes: number
  readonly sealedFor: string
  readonly tables: readonly { readonly database: string; readonly table: string; readonly rows: number }[]
  readonly findings: readonly Finding[]
  /** Vaults that could not be looked at. */
  readonly troubles: readonly { readonly vault: string; readonly error: unknown }[]
  /** Commands for whoever gets it. @param file - without folders. */
  readonly opening: (file: string) => readonly string[]
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username' | 'version'>

/**
 * Finds a backup, tries the seal, and reads its databases once, so that the size of every file is known before the first byte
 * is written. No server is needed, and on the disk lies at most one database of SQLite at a time.
 *
 * @throws `restore.no-backup`; `export.no-year`; `export.unsealable`; `export.no-passphrase`; what keeps the vault from being
 * read.
 */
export async function prepareExport(
  services: Needed,
  project: Project,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<PreparedExport> {
  const { configuration, clock } = services
  await using guard = new AsyncDisposableStack()
  const temporary = guard.use(await services.temporaryFolder())
  const sealing = await prepareSeal(services, request.seal, temporary, signal)
  const { vault, snapshot, troubles } = await choose(services, project, request, signal)
  const { repository } = guard.use(await openVault(services, vault, project.name, signal))
  const unlock = await repository.lockToRead(signal)
  if (unlock) guard.use(unlock)
  await repository.loadReadableIndex(signal)
  const { tree } = (await repository.findSnapshot(snapshot.id, signal)).snapshot
  const layout = await readLayout(repository, tree, signal)
  const include = includedPaths(request.only, layout, project, snapshot)
  const tools = await loadExport()
  const scene: TableScene = { services, tools, repository, tree }
  const about = { vault: vault.name, project: project.name }
  const findings: Finding[] = []
  const databases = await readDatabases(services, scene, layout, include, about, findings, signal)

  const local = Temporal.Instant.fromEpochMilliseconds(snapshot.time).toZonedDateTimeISO(configuration.timezone)
  const folder = `${project.name}-${local.toPlainDate().toString()}-${snapshot.id.slice(0, 8)}`
  const name = `${folder}.tar.zst${endingOf(request.seal)}`
  const hasConfig = layout.top.includes('config') && (!include || include.includes('config'))
  if (hasConfig) {
    const text = 'passwords and keys of the project are in it; `--only=database,files` leaves them out'
    findings.push({ ...about, subject: 'config', severity: 'notice', text })
  }
  const madeAt = clock.now()
  const time = local.toString({ timeZoneName: 'never', smallestUnit: 'second' })
  const facts = {
    language: configuration.language,
    title: project.title,
    snapshot: snapshot.id,
    time,
    file: name,
    folder,
  }
  const content: ExportContent = {
    scene,
    folder,
    snapshot: snapshot.id,
    madeAt,
    databases,
    artifacts: layout.manifest?.artifacts ?? [],
    ...(include && { include }),
    documents: {
      'RESTORE.md': exportInstructions({ ...facts, tables: databases.map((one) => one.folder), hasConfig }),
      'manifest.json': manifestOf(services, project, vault, snapshot, databases, madeAt),
    },
  }
  const report: ExportReport = {
    ...about,
    snapshot: snapshot.id,
    time: snapshot.time,
    name,
    bytes: snapshot.bytes,
    sealedFor: describeSeal(request.seal),
    tables: databases.flatMap(({ artifact, tables }) =>
      tables.map(({ table, rows }) => ({ database: textOfPath(artifact.path), table, rows })),
    ),
    findings,
    troubles,
    opening: (file) => openingCommands({ file, folder }),
  }
  const stream = (stop: AbortSignal): AsyncIterable<Uint8Array> =>
    sealed(services, content, report, findings, (plain) => sealing(plain, stop), stop)
  const held = guard.move()
  return {
    report,
    stream: (stop) => streamLogged(services, report, stream(stop)),
    save: (file, stop) => saveLogged(services, report, file, () => tools.saveStream(file, stream(stop))),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

async function choose(
  services: Needed,
  project: Project,
  { wanted, vault }: ExportRequest,
  signal: AbortSignal,
): ReturnType<typeof chooseBackup> {
  if (wanted.kind !== 'year') return await chooseBackup(services, project, wanted, vault, signal)
  const { year } = wanted
  const chosen = await chooseBackup(services, project, { kind: 'date', date: `${year}-12-31` }, vault, signal)
  const made = Temporal.Instant.fromEpochMilliseconds(chosen.snapshot.time)
  const day = made.toZonedDateTimeISO(services.configuration.timezone).toPlainDate()
  if (String(day.year) === year) return chosen
  throw usecaseError('export.no-year', { project: project.name, year, day: day.toString() })
}

/** What explains the snapshot goes with every part of it. */
function includedPaths(
  only: readonly RestorablePart[],
  layout: SnapshotLayout,
  project: Project,
  snapshot: KnownSnapshot,
): string[] | undefined {
  if (only.length === 0) return undefined
  const parts = only.flatMap((part) => {
    const paths = pathsOf(part, layout)
    if (paths.length > 0) return paths
    throw usecaseError('restore.part-missing', { snapshot: snapshot.id.slice(0, 8), part, project: project.name })
  })
  return [...parts, ...['RESTORE.md', 'manifest.json'].filter((name) => layout.top.includes(name))]
}

const withTables = ['postgresql', 'mysql', 'sqlite']

async function readDatabases(
  services: Pick<Services, 'progress'>,
  scene: TableScene,
  { manifest }: SnapshotLayout,
  include: readonly string[] | undefined,
  about: { readonly vault: string; readonly project: string },
  findings: Finding[],
  signal: AbortSignal,
): Promise<DatabaseTables[]> {
  const isIncluded = ({ path }: Artifact): boolean =>
    include?.some((one) => path === one || path.startsWith(`${one}/`)) ?? true
  const wanted = (manifest?.artifacts ?? []).filter((one) => withTables.includes(one.kind) && isIncluded(one))
  const names = new FileNames()
  const read: DatabaseTables[] = []
  for (const [done, artifact] of wanted.entries()) {
    const detail = textOfPath(artifact.path)
    services.progress({ label: `${about.project}: reading tables`, done, total: wanted.length, unit: 'items', detail })
    const folder = `tables/${names.next(
      detail
        .split('/')
        .at(-1)!
        .replace(/\.(?:sql|dump)$/, ''),
    )}`
    const add = (severity: Finding['severity'], text: string): void =>
      void findings.push({ ...about, subject: detail, severity, text })
    try {
      const database = await countTables(scene, artifact, folder, signal)
      read.push(database)
      for (const remark of database.remarks) add('notice', remark)
      for (const { table, rows, expectedRows } of database.tables)
        if (expectedRows !== undefined && rows !== expectedRows)
          add('damage', `${table} has ${rows} rows, and had ${expectedRows} when the backup was made`)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || !mayGoWithout.has(thrown.code)) throw thrown
      add('warning', `its tables are not in the export as CSV files: ${textOf(thrown)}`)
    }
  }
  return read
}

/** The backup itself is whole and goes out all the same. */
const mayGoWithout: ReadonlySet<string> = new Set(['source.tables-unreadable', 'program.missing', 'program.failed'])

async function* sealed(
  services: Pick<Services, 'progress'>,
  content: ExportContent,
  { project, bytes: total }: ExportReport,
  findings: Finding[],
  seal: (plain: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { tools } = content.scene
  let done = 0
  let isWhole = false
  const onBytes = (bytes: number): void => {
    done += bytes
    services.progress({ label: `${project}: exporting`, done, total: Math.max(done, total), unit: 'bytes' })
  }
  const onLeftOut = (path: string): void => {
    findings.push({ project, subject: path, severity: 'notice', text: 'a socket has no place in an archive' })
  }
  async function* plain(): AsyncGenerator<Uint8Array, void, void> {
    yield* tools.writeTar(exportEntries(content, { onBytes, onLeftOut }, signal))
    isWhole = true
  }
  yield* seal(tools.compressStream(plain()))
  // Because a program that ends well before it has read everything would leave a short archive.
  if (!isWhole) throw new Error('the program that seals has not read everything')
}

/** An export is data that leaves the vault: whether it was made or not, it is in the log. */
async function log(
  { catalog, clock, ...who }: Needed,
  { project, vault, snapshot, sealedFor }: ExportReport,
  target: string,
  outcome: number | string,
): Promise<void> {
  const what = `Export of ${snapshot.slice(0, 8)} from ${vault} to ${target} by ${whoOf(who)}, sealed for ${sealedFor}`
  const isComplete = typeof outcome === 'number'
  const text = isComplete ? `${what}, complete: ${formatBytes(outcome)}` : `${what}, failed: ${outcome}`
  await catalog.log.add({ time: clock.now(), kind: 'export', level: isComplete ? 'info' : 'error', text, project })
}

async function saveLogged(
  services: Needed,
  report: ExportReport,
  file: string,
  save: () => Promise<number>,
): Promise<number> {
  try {
    const bytes = await save()
    await log(services, report, file, bytes)
    return bytes
  } catch (thrown) {
    await log(services, report, file, textOf(thrown))
    throw thrown
  }
}

async function* streamLogged(
  services: Needed,
  report: ExportReport,
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0
  let outcome: number | string = 'whoever took it stopped'
  try {
    for await (const piece of stream) {
      bytes += piece.length
      yield piece
    }
    outcome = bytes
  } catch (thrown) {
    outcome = textOf(thrown)
    throw thrown
  } finally {
    await log(services, report, 'standard output', outcome)
  }
}

function manifestOf(
  services: Pick<Services, 'hostname' | 'username' | 'version'>,
  project: Project,
  vault: Vault,
  snapshot: KnownSnapshot,
  databases: readonly DatabaseTables[],
  madeAt: number,
): string {
  const manifest = {
    export: 1,
    project: project.name,
    title: project.title,
    snapshot: snapshot.id,
    run: snapshot.run,
    vault: vault.name,
    time: new Date(snapshot.time).toISOString(),
    exportedAt: new Date(madeAt).toISOString(),
    exportedBy: whoOf(services),
    bewaar: services.version,
    databases: databases.map(({ artifact, folder, tables }) => ({
      path: `snapshot/${textOfPath(artifact.path)}`,
      kind: artifact.kind,
      folder,
      tables: tables.map(({ table, rows, expectedRows, bytes, sha256 }) => ({
        table,
        rows,
        expectedRows,
        bytes,
        sha256,
      })),
    })),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** A path of a manifest, each byte one character, as people read it. */
function textOfPath(raw: string): string {
  return Buffer.from(raw, 'latin1').toString()
}
