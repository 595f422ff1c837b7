import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { Kysely } from 'kysely'

import { AppError, systemClock, textOf, type Clock } from '#base'
import { createCleanupStore, type CleanupStore } from './cleanups.ts'
import { createCopyStore, type CopyStore } from './copies.ts'
import { createDutyStore, type DutyStore } from './duties.ts'
import { createDeliveryStore, type DeliveryStore } from './deliveries.ts'
import { catalogError } from './errors.ts'
import { createHoldStore, type HoldStore } from './holds.ts'
import { createIncidentStore, type IncidentStore } from './incidents.ts'
import { createLogStore, type LogStore } from './log.ts'
import { createMeasurementStore, type MeasurementStore } from './measurements.ts'
import { migrations } from './migrations/list.ts'
import { createProbeStore, type ProbeStore } from './probes.ts'
import { createQuietStore, type QuietStore } from './quiet.ts'
import { createRecoveryStore, type RecoveryStore } from './recovery.ts'
import { createRestoreJournalStore, type RestoreJournalStore } from './restore-journals.ts'
import { createRestoreTestStore, type RestoreTestStore } from './restore-tests.ts'
import { createRestoreStore, type RestoreStore } from './restores.ts'
import { createRunStore, type RunStore } from './runs.ts'
import { createSnapshotStore, type SnapshotStore } from './snapshots.ts'
import { copySqlite, openSqlite, translated, type SqliteFile } from './sqlite.ts'
import type { Tables } from './tables.ts'
import { createVerificationStore, type VerificationStore } from './verifications.ts'
import { createWatchedStore, type WatchedStore } from './watched.ts'

/** What Bewaar remembers. Every write is durable when its promise is kept, and several processes may write at once. */
export interface Catalog extends AsyncDisposable {
  /** Absolute. */
  readonly file: string
  readonly runs: RunStore
  readonly snapshots: SnapshotStore
  readonly copies: CopyStore
  readonly restores: RestoreStore
  readonly restoreJournals: RestoreJournalStore
  readonly restoreTests: RestoreTestStore
  readonly verifications: VerificationStore
  readonly duties: DutyStore
  readonly holds: HoldStore
  readonly cleanups: CleanupStore
  readonly quiet: QuietStore
  readonly probes: ProbeStore
  readonly measurements: MeasurementStore
  readonly incidents: IncidentStore
  readonly watched: WatchedStore
  readonly deliveries: DeliveryStore
  readonly recovery: RecoveryStore
  readonly log: LogStore
  /**
   * Writes all of it, as it is at one moment, into a new catalog that only its owner can read; whoever writes to this one
   * meanwhile is not kept waiting.
   *
   * @param file - absolute, and not there yet. @throws `catalog.busy`, `catalog.unavailable`.
   */
  copyTo(file: string): void
}

export interface CatalogOptions {
  /** `write` makes the catalog when there is none, brings it to this form, and closes the runs and copies of killed processes. */
  readonly purpose: 'read' | 'write'
  readonly clock?: Clock
  /** How long to wait for another process that is writing. Default: ten seconds. */
  readonly waitMs?: number
}

/** Where the catalog lies in a state folder. */
export function catalogFile(state: string): string {
  return join(state, 'catalog.sqlite')
}

/**
 * Opens the catalog, after looking through all of it for damage.
 *
 * @throws `catalog.missing` (only to read), `catalog.damaged`, `catalog.newer`, `catalog.busy`, `catalog.unavailable`.
 */
export async function openCatalog(file: string, options: CatalogOptions): Promise<Catalog> {
  const { purpose, clock = systemClock } = options
  if (purpose === 'write') makeFile(file)
  else if (!existsSync(file)) throw catalogError('catalog.missing', { file })
  const sqlite = openSqlite(file, purpose, options.waitMs)
  const database = new Kysely<Tables>({ dialect: sqlite.dialect })
  try {
    checkSound(file, sqlite)
    checkForm(file, sqlite, purpose)
    const catalog = createCatalog(file, database, clock)
    if (purpose === 'write') {
      await migrate(file, sqlite, database)
      await logAbandoned(catalog, clock.now())
    }
    return catalog
  } catch (error) {
    await database.destroy()
    if (sqlite.database.isOpen) sqlite.database.close() // because Kysely closes only what it has used
    throw error
  }
}

/** A catalog, or none and the reason why the work goes on without it. */
export interface OpenedCatalog {
  readonly catalog: Catalog | undefined
  /** One sentence for people. */
  readonly warning?: string
}

/**
 * Opens the catalog for work that must not fail because of it.
 *
 * To write: a damaged catalog is moved aside, kept as `catalog.damaged-<time>`, and a fresh one takes its place.
 * To read: whatever is wrong, there is no catalog; a missing one needs no warning.
 *
 * @throws to write only: `catalog.newer`, `catalog.busy`, `catalog.unavailable`.
 */
export async function openCatalogOrNone(file: string, options: CatalogOptions): Promise<OpenedCatalog> {
  try {
    return { catalog: await openCatalog(file, options) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (options.purpose === 'read') {
      return error.code === 'catalog.missing' ? { catalog: undefined } : { catalog: undefined, warning: error.message }
    }
    if (error.code !== 'catalog.damaged') throw error
    return replaceDamaged(file, options)
  }
}

async function replaceDamaged(file: string, options: CatalogOptions): Promise<OpenedCatalog> {
  try {
    // Because another process may have replaced it since, and its fresh catalog must stay.
    return { catalog: await openCatalog(file, options) }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'catalog.damaged') throw error
    const kept = moveAside(file, options.clock ?? systemClock)
    const warning = `${error.message}. It was kept as ${kept}, and a new catalog begins`
    return { catalog: await openCatalog(file, options), warning }
  }
}

function createCatalog(file: string, database: Kysely<Tables>, clock: Clock): Catalog {
  return {
    file,
    runs: createRunStore(database),
    snapshots: createSnapshotStore(database, clock),
    copies: createCopyStore(database),
    restores: createRestoreStore(database),
    restoreJournals: createRestoreJournalStore(database),
    restoreTests: createRestoreTestStore(database),
    verifications: createVerificationStore(database),
    duties: createDutyStore(database),
    holds: createHoldStore(database),
    cleanups: createCleanupStore(database),
    quiet: createQuietStore(database),
    probes: createProbeStore(database),
    measurements: createMeasurementStore(database),
    incidents: createIncidentStore(database),
    watched: createWatchedStore(database),
    deliveries: createDeliveryStore(database),
    recovery: createRecoveryStore(database),
    log: createLogStore(database),
    copyTo: (copy) => copySqlite(file, copy),
    [Symbol.asyncDispose]: () => database.destroy(),
  }
}

/** Because SQLite would make the file readable for all, and its journals get the mode of the file. */
function makeFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
  } catch (error) {
    throw catalogError('catalog.unavailable', { file, reason: textOf(error) }, error)
  }
}

function checkSound(file: string, { database }: SqliteFile): void {
  const rows = translated(file, () => database.prepare('pragma quick_check(1)').all())
  const answer = String(rows[0]?.['quick_check'])
  if (answer !== 'ok') throw catalogError('catalog.damaged', { file, reason: answer.replace(/\s+/g, ' ') })
}

function formOf(file: string, { database }: SqliteFile): number {
  return translated(file, () => Number(database.prepare('pragma user_version').get()?.['user_version']))
}

function checkForm(file: string, sqlite: SqliteFile, purpose: 'read' | 'write'): void {
  const found = formOf(file, sqlite)
  if (found > migrations.length) throw catalogError('catalog.newer', { file, found, known: migrations.length })
  if (purpose === 'read' && found < migrations.length) throw catalogError('catalog.missing', { file })
}

/** All or nothing, and one process at a time. */
async function migrate(file: string, sqlite: SqliteFile, database: Kysely<Tables>): Promise<void> {
  if (formOf(file, sqlite) === migrations.length) return
  await database.transaction().execute(async (transaction) => {
    for (const migration of migrations.slice(formOf(file, sqlite)))
      await migration(transaction as unknown as Kysely<unknown>)
    sqlite.database.exec(`pragma user_version = ${migrations.length}`)
  })
}

async function logAbandoned(catalog: Catalog, now: number): Promise<void> {
  for (const { id, project } of await catalog.restoreJournals.closeAbandoned()) {
    const text = `The restore ${id} was cut off: its process was killed, or the machine stopped. \`bewaar restore --project=${project} --resume\` goes on with it, --undo takes it back`
    await catalog.log.add({ time: now, kind: 'restore', level: 'error', project, run: id, text })
  }
  for (const { id, project } of await catalog.runs.closeAbandoned(now)) {
    const text = `The run ${id} failed: its process was killed, or the machine stopped`
    await catalog.log.add({ time: now, kind: 'backup', level: 'error', project, run: id, text })
  }
  for (const { project, from, to, run } of await catalog.copies.closeAbandoned(now)) {
    const text = `Copy from ${from} to ${to} failed: its process was killed, or the machine stopped`
    await catalog.log.add({ time: now, kind: 'copy', level: 'error', project, text, ...(run !== undefined && { run }) })
  }
}

function moveAside(file: string, clock: Clock): string {
  const time = new Date(clock.now()).toISOString().replace(/[-:]/g, '')
  const kept = join(dirname(file), `catalog.damaged-${time}`)
  try {
    for (const part of ['-wal', '-shm', '']) if (existsSync(file + part)) renameSync(file + part, kept + part)
  } catch (error) {
    throw catalogError('catalog.unavailable', { file, reason: textOf(error) }, error)
  }
  return kept
}
