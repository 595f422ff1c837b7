import type { SourceFinding } from '../finding.ts'
import type { LoadContext, LoadOptions, LoadResult, LoadTarget, TargetReport, WayBack } from '../load-contract.ts'
import { loadError } from '../load-errors.ts'
import { MeasuredDump } from '../measured-dump.ts'
import { nameBeside, stampOf } from '../load-names.ts'
import { demandRows } from '../load-rows.ts'
import { shownAddress } from '../server-address.ts'
import { askJson, execute, quotedName, quotedText, type Scene } from './ask.ts'
import {
  dropDatabase,
  makeAnew,
  makeLike,
  present,
  rename,
  undoMaking,
  undoSwap,
  type Names,
  type Swap,
} from './beside.ts'
import { countRows, shownRows } from './count-rows.ts'
import { emptying } from './empty-database.ts'
import type { EntryChooser } from './entries.ts'
import { besideScene, inspectPostgresqlTarget, sceneOf } from './inspect-target.ts'
import { loadTables, undoTables } from './load-tables.ts'
import type { Loading } from './loading.ts'
import { filterDump } from './plain-dump.ts'
import { play } from './play.ts'

/** As `loadDatabase`, for PostgreSQL. */
export async function loadIntoPostgresql(
  target: LoadTarget,
  dump: AsyncIterable<Uint8Array>,
  options: LoadOptions,
  context: LoadContext,
  signal?: AbortSignal,
): Promise<LoadResult> {
  const scene = await sceneOf(target, signal)
  const loading = { scene, dump, options, context }
  const report = await inspectPostgresqlTarget(target, { facts: options.facts ?? {} }, signal)
  if (options.tables) return loadTables(loading, options.tables, signal)
  if (!report.isEmpty && !options.replace) {
    const what = `${report.tables} tables`
    throw loadError('source.target-filled', { database: scene.database, server: shownAddress(scene.address), what })
  }
  switch (report.method) {
    case 'create':
      return loadCreated(loading, report, signal)
    case 'fill':
    case 'transaction':
      return loadInTransaction(loading, report, report.method, signal)
    case 'beside':
      return loadBeside(loading, report, signal)
    default: {
      const reason = `the login ${report.login} may neither make a database nor change this one`
      throw loadError('source.load-failed', { database: scene.database, reason })
    }
  }
}

async function loadCreated(loading: Loading, report: TargetReport, signal?: AbortSignal): Promise<LoadResult> {
  const { scene, options, context } = loading
  const { database } = scene
  const server = await besideScene(scene, signal)
  const beside = nameBeside(database, 'loading', stampOf(context.clock.now()))
  const wayBack = { how: 'drop', database, beside } as const
  await context.onWayBack?.(wayBack)
  const owner = await usableOwner(server, options.owner, signal)
  await makeAnew(server, beside, options.facts ?? {}, owner, signal)
  const filled = await fillBeside(loading, { server, beside, names: [[beside, database]] }, report, signal)
  return { method: 'create', wayBack, ...filled, findings: [...ownerFindings(loading, owner), ...filled.findings] }
}

/** Fills a database that nobody uses, which then gets its name; without it when anything fails. */
async function fillBeside(
  loading: Loading,
  { server, beside, names }: { readonly server: Scene; readonly beside: string; readonly names: Names },
  report: TargetReport,
  signal?: AbortSignal,
): ReturnType<typeof fill> {
  try {
    const filled = await fill(loading, { ...loading.scene, database: beside }, report, [], signal)
    await loading.context.beforeSwap?.()
    await rename(server, names, signal)
    return filled
  } catch (thrown) {
    // because a database that nobody uses only takes space; when this fails too, undoing the load removes it
    await dropDatabase(server, beside).catch(() => {})
    throw thrown
  }
}

/** The role, when the login may make databases for it. */
async function usableOwner(
  server: Scene,
  owner: string | undefined,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (owner === undefined) return undefined
  const question = `select to_json(exists (select from pg_roles where rolname = ${quotedText(owner)} and pg_has_role(oid, 'member')))`
  return (await askJson<boolean>(server, question, signal)) ? owner : undefined
}

function ownerFindings({ scene, options }: Loading, owner: string | undefined): SourceFinding[] {
  if (options.owner === owner) return []
  const text = `it does not belong to ${options.owner}: there is no such role, or the login may make nothing for it`
  return [{ subject: `database ${scene.database}`, severity: 'warning', text }]
}

async function loadInTransaction(
  loading: Loading,
  report: TargetReport,
  method: 'fill' | 'transaction',
  signal?: AbortSignal,
): Promise<LoadResult> {
  const { database } = loading.scene
  const reason = 'what was there was replaced in one transaction'
  const wayBack: WayBack = method === 'fill' ? { how: 'empty', database } : { how: 'none', database, reason }
  await loading.context.onWayBack?.(wayBack)
  const before = ['begin;', ...(method === 'transaction' ? [`${emptying};`] : [])]
  return { method, wayBack, ...(await fill(loading, loading.scene, report, before, signal)) }
}

async function loadBeside(loading: Loading, report: TargetReport, signal?: AbortSignal): Promise<LoadResult> {
  const { scene, options, context } = loading
  const { database } = scene
  const server = await besideScene(scene, signal)
  const stamp = stampOf(context.clock.now())
  const wayBack: Swap = {
    how: 'swap',
    database,
    beside: nameBeside(database, 'loading', stamp),
    before: nameBeside(database, 'before', stamp),
  }
  await context.onWayBack?.(wayBack)
  const owner = await usableOwner(server, options.owner, signal)
  const { beside, before } = wayBack
  await makeLike(server, database, beside, owner, signal)
  const names: Names = [
    [database, before],
    [beside, database],
  ]
  const filled = await fillBeside(loading, { server, beside, names }, report, signal)
  return { method: 'beside', wayBack, ...filled, findings: [...ownerFindings(loading, owner), ...filled.findings] }
}

/** Plays the dump, and counts twice: what passed, and what the server has then. */
async function fill(
  { dump, options, context }: Loading,
  scene: Scene,
  report: TargetReport,
  before: readonly string[],
  signal?: AbortSignal,
): Promise<Pick<LoadResult, 'rows' | 'bytes' | 'findings'>> {
  const measured = new MeasuredDump(dump, context)
  const place = { format: options.format, host: scene.host, database: scene.database }
  const isInTransaction = before.length > 0
  const chooser = everything(report.rights.superuser, isInTransaction)
  const filtered = filterDump(measured.pieces(), place, chooser, signal)
  const encoding = String(options.facts?.['encoding'] ?? 'UTF8')
  const check = async (): Promise<void> => {
    if (options.rows) demandRows(scene.database, options.rows, shownRows(filtered.rows(), encoding), 'in the dump')
    if (isInTransaction) await context.beforeSwap?.()
  }
  const after = isInTransaction ? ['commit;'] : []
  await play(scene, filtered.sql, { before, after, check }, signal)
  const rows = shownRows(filtered.rows(), encoding)
  const found = await countRows(scene, signal)
  // because the login may not be allowed to read a table that belongs to another
  const readable = Object.fromEntries(Object.entries(rows).filter(([table]) => table in found))
  demandRows(scene.database, readable, found, 'on the server')
  const unread = Object.keys(rows).filter((table) => !(table in found))
  const text = `the rows of ${unread.length} tables were not counted on the server, because the login may not read them: ${unread.slice(0, 3).join(', ')}`
  const subject = `database ${scene.database}`
  return { rows, bytes: measured.bytes, findings: unread.length === 0 ? [] : [{ subject, severity: 'notice', text }] }
}

/** Comments on extensions are those that the extensions bring, and only their owner may write them. */
function everything(isSuperuser: boolean, isInTransaction: boolean): EntryChooser {
  return {
    choose: ({ type, name }) => {
      if (type === 'BLOBS' && isInTransaction) return 'join'
      const isOfOthers = name.startsWith('EXTENSION ') || (name === 'SCHEMA public' && !isSuperuser)
      return type === 'COMMENT' && isOfOthers ? 'drop' : 'keep'
    },
    decide: () => true,
  }
}

/** As `undoLoad`, for PostgreSQL. */
export async function undoPostgresql(target: LoadTarget, wayBack: WayBack, signal?: AbortSignal): Promise<void> {
  const scene = { ...(await sceneOf(target, signal)), database: wayBack.database }
  switch (wayBack.how) {
    case 'drop':
      return undoMaking(await besideScene(scene, signal), wayBack, signal)
    case 'empty':
      return execute(scene, [`begin; ${emptying}; commit`], signal)
    case 'swap':
      return undoSwap(await besideScene(scene, signal), wayBack, signal)
    case 'tables':
      return undoTables(scene, wayBack, signal)
    case 'none':
      throw loadError('source.no-way-back', { database: wayBack.database, reason: wayBack.reason })
    default:
      return wayBack satisfies never
  }
}

/** As `confirmLoad`, for PostgreSQL. */
export async function confirmPostgresql(target: LoadTarget, wayBack: WayBack, signal?: AbortSignal): Promise<void> {
  const scene = { ...(await sceneOf(target, signal)), database: wayBack.database }
  if (wayBack.how === 'tables') {
    return execute(scene, [`drop schema if exists ${quotedName(wayBack.before)} cascade`], signal)
  }
  if (wayBack.how !== 'swap') return
  const server = await besideScene(scene, signal)
  const there = await present(server, [wayBack.database], signal)
  if (!there.has(wayBack.database)) {
    throw loadError('source.no-way-back', {
      database: wayBack.database,
      reason: 'it is not there, so nothing is removed',
    })
  }
  await dropDatabase(server, wayBack.before, signal)
}
