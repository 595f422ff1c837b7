import type { LoadResult, WayBack } from '../load-contract.ts'
import { loadError } from '../load-errors.ts'
import { nameBeside, stampOf } from '../load-names.ts'
import { demandRows } from '../load-rows.ts'
import { MeasuredDump } from '../measured-dump.ts'
import { askJson, execute, quotedName, quotedText, type Scene } from './ask.ts'
import { decodedName, shownKey, tableKeyOf, TableChooser, type Wanted } from './choose-tables.ts'
import { shownRows } from './count-rows.ts'
import type { Loading } from './loading.ts'
import { filterDump } from './plain-dump.ts'
import { play } from './play.ts'
import type { TableKey } from './table-name.ts'

export type TablesWayBack = Extract<WayBack, { how: 'tables' }>

/** A table as SQL writes it: `"public"."invoice"`. */
type QuotedTable = string

/**
 * Loads some tables in one transaction. Of a table that is there the rows alone are replaced, so that its rights, views and
 * what refers to it stay; those that refer to it must fit in the end, or nothing has changed. A table that is not there
 * comes with everything that belongs to it.
 */
export async function loadTables(
  { scene, dump, options, context }: Loading,
  tables: readonly string[],
  signal?: AbortSignal,
): Promise<LoadResult> {
  const { database } = scene
  const keys = tables.map(tableKeyOf)
  const there = await existing(scene, keys, signal)
  const old = keys.filter((key) => there.has(key))
  if (old.length > 0 && !options.replace) {
    const what = `the table ${shownKey(old[0]!)}`
    throw loadError('source.target-filled', { database, server: scene.address.host ?? 'the server', what })
  }
  const wayBack: TablesWayBack = {
    how: 'tables',
    database,
    before: nameBeside('bewaar', 'before', stampOf(context.clock.now())),
    tables: old.map(quoted),
    made: keys.filter((key) => !there.has(key)).map(quoted),
  }
  await context.onWayBack?.(wayBack)
  const held = await holdOff(scene, wayBack.tables, signal)
  const keep = [
    ...(old.length > 0 ? [`create schema ${quotedName(wayBack.before)};`] : []),
    ...wayBack.tables.map((table, nth) => `create table ${keptName(wayBack, nth)} as table ${table};`),
  ]
  const empty = wayBack.tables.map((table) => `truncate only ${table};`)
  const wanted = new Map(keys.map((key): [TableKey, Wanted] => [key, there.has(key) ? 'rows' : 'all']))
  const chooser = new TableChooser(wanted)
  const measured = new MeasuredDump(dump, context)
  const place = { format: options.format, host: scene.host, database }
  const filtered = filterDump(measured.pieces(), place, chooser, signal)
  const rowsOf = (): Record<string, number> =>
    shownRows(new Map([...filtered.rows()].filter(([key]) => wanted.has(key))), 'UTF8')
  const check = (): void => {
    const missing = keys.find((key) => !chooser.found.has(key))
    if (missing !== undefined) throw loadError('source.table-missing', { table: shownKey(missing) })
    const expected = Object.entries(options.rows ?? {}).filter(([table]) => keys.some((key) => shownKey(key) === table))
    demandRows(database, Object.fromEntries(expected), rowsOf(), 'in the dump')
  }
  const before = ['begin;', ...keep, ...held.off, ...empty]
  await play(scene, filtered.sql, { before, after: [...held.on, 'commit;'], check }, signal)
  return { method: 'tables', wayBack, rows: rowsOf(), bytes: measured.bytes, findings: [] }
}

function quoted(key: TableKey): QuotedTable {
  return key
    .split('\0')
    .map((raw) => quotedName(decodedName(raw)))
    .join('.')
}

function keptName({ before }: TablesWayBack, nth: number): QuotedTable {
  return `${quotedName(before)}.${quotedName(`table_${nth + 1}`)}`
}

async function existing(scene: Scene, keys: readonly TableKey[], signal?: AbortSignal): Promise<Set<TableKey>> {
  const list = keys.map((key) => quotedText(quoted(key))).join(', ')
  const question = `select coalesce(json_agg(t), '[]') from unnest(array[${list}]::text[]) as t where to_regclass(t) is not null`
  const found = new Set(await askJson<QuotedTable[]>(scene, question, signal))
  return new Set(keys.filter((key) => found.has(quoted(key))))
}

/** Statements that take away what would keep rows from being replaced, and that bring it back as it was. */
interface HeldOff {
  readonly off: readonly string[]
  readonly on: readonly string[]
}

async function holdOff(scene: Scene, tables: readonly QuotedTable[], signal?: AbortSignal): Promise<HeldOff> {
  if (tables.length === 0) return { off: [], on: [] }
  const list = `(${tables.map((table) => `${quotedText(table)}::regclass`).join(', ')})`
  const lines = await askJson<(readonly [off: string, on: string])[]>(
    scene,
    `select coalesce(json_agg(json_build_array(off, back)), '[]') from (
      select format('alter table %s drop constraint %I;', c.conrelid::regclass, c.conname) as off,
        format('alter table %s add constraint %I %s;', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) as back
      from pg_constraint c where c.contype = 'f' and c.confrelid in ${list} and c.conparentid = 0
      union all
      select format('alter table %s disable trigger %I;', t.tgrelid::regclass, t.tgname),
        format('alter table %s enable %s trigger %I;', t.tgrelid::regclass,
          case t.tgenabled when 'R' then 'replica' when 'A' then 'always' else '' end, t.tgname)
      from pg_trigger t where t.tgrelid in ${list} and not t.tgisinternal and t.tgenabled <> 'D') held`,
    signal,
  )
  return { off: lines.map(([off]) => off), on: lines.map(([, on]) => on) }
}

/** Puts the rows back that were there, and removes the tables that were not. */
export async function undoTables(scene: Scene, wayBack: TablesWayBack, signal?: AbortSignal): Promise<void> {
  const question = `select to_json(to_regnamespace(${quotedText(quotedName(wayBack.before))}) is not null)`
  const isKept = await askJson<boolean>(scene, question, signal)
  const drop = wayBack.made.map((table) => `drop table if exists ${table} cascade;`)
  if (!isKept) {
    // because all of it was one transaction: what was not kept was not touched
    if (wayBack.tables.length === 0 && drop.length > 0)
      await execute(scene, [`begin; ${drop.join(' ')} commit`], signal)
    return
  }
  const held = await holdOff(scene, wayBack.tables, signal)
  const refill = await Promise.all(
    wayBack.tables.map(async (table, nth) => {
      const columns = await columnsOf(scene, table, signal)
      const kept = keptName(wayBack, nth)
      return `truncate only ${table}; insert into ${table} (${columns}) overriding system value select ${columns} from ${kept};`
    }),
  )
  const end = `drop schema ${quotedName(wayBack.before)} cascade; commit`
  await execute(scene, [['begin;', ...held.off, ...refill, ...held.on, ...drop, end].join('\n')], signal)
}

/** Those that can be written. */
function columnsOf(scene: Scene, table: QuotedTable, signal?: AbortSignal): Promise<string> {
  return askJson<string>(
    scene,
    `select to_json(string_agg(quote_ident(attname), ', ' order by attnum)) from pg_attribute
     where attrelid = ${quotedText(table)}::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    signal,
  )
}
