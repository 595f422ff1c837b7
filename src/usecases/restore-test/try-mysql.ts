import { compareRows, type Artifact, type Finding } from '#model'
import type { MariadbServer } from '#sandbox'
import { answer, damage, joined, notice, reasonOf, unlessRefused, warning, type Answer } from './answer.ts'
import type { LiveDatabase } from './live-database.ts'
import type { RestoredDump, Tried } from './try-postgresql.ts'
import { watchedDump } from './watched-dump.ts'

/** Loads a dump into a database of its name, and asks whether it is what the manifest says. */
export async function tryMysql(server: MariadbServer, dump: RestoredDump, signal: AbortSignal): Promise<Tried> {
  const { artifact, name } = dump
  const { path, facts = {} } = artifact
  const { charset = 'utf8mb4', collation = 'utf8mb4_general_ci' } = facts
  try {
    await server.run(`create database ${quoted(name)} character set ${String(charset)} collate ${String(collation)}`)
  } catch (thrown) {
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    return { answer: { ...answer(0, []), impossible: [warning(path, `its database cannot be made here: ${reason}`)] } }
  }
  const { stream, seen } = watchedDump(dump.read())
  try {
    await server.load(stream, name, signal)
  } catch (thrown) {
    signal.throwIfAborted()
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    return { answer: answer(1, [damage(path, `it cannot be loaded: ${reason}`)]) }
  }
  const asked = await unlessRefused(path, () => question((sql) => rowsOf(server, sql, name), artifact))
  const whole = answer(2, lookAtEnds(path, seen()))
  return { answer: joined([whole, asked]), database: liveDatabase(server, name, path) }
}

/** Makes users, roles and grants, after the databases that the grants name. */
export async function loadMysqlUsers(server: MariadbServer, artifact: Artifact, globals: string): Promise<Answer> {
  const { path } = artifact
  const statements = globals.split(/;\n/).map((one) => one.replace(/^(?:--.*\n)*/, '').trim())
  const real = statements.filter((one) => one !== '' && !one.startsWith('--'))
  const findings: Finding[] = []
  for (const statement of real) {
    try {
      await server.run(statement)
    } catch (thrown) {
      const reason = reasonOf(thrown)
      if (reason === undefined) throw thrown
      // because a grant may be on what another project has, and a way to log in may need a plugin that is not here
      const isElsewhere = (/^GRANT/i.test(statement) && !/ERROR 1133/.test(reason)) || /plugin/i.test(reason)
      const told = reason.replace(/IDENTIFIED .*$/s, '…')
      findings.push(isElsewhere ? notice(path, told) : damage(path, `a user cannot be made: ${told}`))
    }
  }
  const isWhole = globals.trimEnd().endsWith('-- End of users, roles and grants')
  if (!isWhole) findings.push(damage(path, 'the list of users does not come to its end'))
  return answer(real.length + 1, findings)
}

/** Whoever a view or a routine runs as must be there, or it cannot be used. */
export async function questionDefiners(server: MariadbServer, database: string, subject: string): Promise<Answer> {
  const here = `= ${text(database)}`
  const rows = await rowsOf(
    server,
    `select distinct kind, definer from (
       select 'view' as kind, definer, table_schema as place from information_schema.views
       union select 'routine', definer, routine_schema from information_schema.routines
       union select 'trigger', definer, trigger_schema from information_schema.triggers
       union select 'event', definer, event_schema from information_schema.events
     ) all_of_them where place ${here}
       and definer not in (select concat(user, '@', host) from mysql.user)
       and definer not in (select user from mysql.user where host = '')`,
  )
  const findings = rows.map(([kind, definer]) => {
    const said = `the user ${definer} is not there, as whom a ${kind} of it runs`
    return kind === 'view' ? damage(subject, said) : warning(subject, said)
  })
  return answer(1, findings)
}

type Ask = (sql: string) => Promise<(string | null)[][]>

async function question(ask: Ask, { path, facts = {}, rows = {} }: Artifact): Promise<Answer> {
  const tables = await ask(
    `select table_name, table_type from information_schema.tables where table_schema = database() order by 1`,
  )
  const own = tables.filter(([, type]) => type === 'BASE TABLE' || type === 'SYSTEM VERSIONED').map(([name]) => name!)
  const counted: Record<string, number> = {}
  for (const name of own) counted[name] = Number((await ask(`select count(*) from ${quoted(name)}`))[0]![0])
  const views = tables.filter(([, type]) => type === 'VIEW').map(([name]) => name!)
  const findings = [
    ...compareRows(path, rows, counted),
    ...(await compareCounts(ask, path, facts, views.length)),
    ...(await checkTables(ask, path, own)),
    ...(await checkViews(ask, path, views)),
    ...(await checkForeignKeys(ask, path)),
  ]
  const total = Object.values(counted).reduce((sum, count) => sum + count, 0)
  return answer(Object.keys(rows).length + own.length + views.length + 7, findings, total)
}

async function compareCounts(
  ask: Ask,
  subject: string,
  facts: NonNullable<Artifact['facts']>,
  views: number,
): Promise<Finding[]> {
  const [[routines, triggers, events, sequences, charset, collation] = []] = await ask(
    `select (select count(*) from information_schema.routines where routine_schema = database()),
            (select count(*) from information_schema.triggers where trigger_schema = database()),
            (select count(*) from information_schema.events where event_schema = database()),
            (select count(*) from information_schema.tables where table_schema = database() and table_type = 'SEQUENCE'),
            @@character_set_database, @@collation_database`,
  )
  const found = { views, routines, triggers, events, sequences, charset, collation }
  return Object.entries(found).flatMap(([what, there]) => {
    const was = facts[what]
    if (was === undefined || String(was) === String(there)) return []
    const isWord = what === 'charset' || what === 'collation'
    return [
      damage(subject, isWord ? `its ${what} is ${there}, and was ${was}` : `it has ${there} ${what}, and had ${was}`),
    ]
  })
}

async function checkTables(ask: Ask, subject: string, tables: readonly string[]): Promise<Finding[]> {
  if (tables.length === 0) return []
  const lines = await ask(`check table ${tables.map(quoted).join(', ')}`)
  return lines
    .filter(
      ([, , kind, said]) =>
        kind === 'error' || (kind === 'status' && said !== 'OK' && !/doesn't support/.test(said ?? '')),
    )
    .map(([table, , , said]) => damage(subject, `the table ${table} is damaged: ${said}`))
}

async function checkViews(ask: Ask, subject: string, views: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const view of views) {
    try {
      await ask(`select 1 from ${quoted(view)} limit 0`)
    } catch (thrown) {
      const reason = reasonOf(thrown)
      if (reason === undefined) throw thrown
      // because whom it runs as comes with the users, and is asked about then
      if (!/ERROR 1449/.test(reason)) findings.push(damage(subject, `the view ${view} cannot be used: ${reason}`))
    }
  }
  return findings
}

/** A dump is loaded without looking at them. */
async function checkForeignKeys(ask: Ask, subject: string): Promise<Finding[]> {
  const columns = await ask(
    `select k.constraint_name, k.table_name, k.column_name, k.referenced_table_schema, k.referenced_table_name, k.referenced_column_name
     from information_schema.key_column_usage k
     where k.table_schema = database() and k.referenced_table_name is not null and k.referenced_table_schema = database()
     order by k.table_name, k.constraint_name, k.ordinal_position`,
  )
  const findings: Finding[] = []
  for (const key of Map.groupBy(columns, ([name, table]) => `${table} ${name}`).values()) {
    const [[name, table, , , parent] = []] = key
    const joins = key.map(([, , column, , , other]) => `p.${quoted(other!)} = c.${quoted(column!)}`).join(' and ')
    const filled = key.map(([, , column]) => `c.${quoted(column!)} is not null`).join(' and ')
    const orphans = await countOrphans(ask, table!, parent!, filled, joins)
    if (orphans !== '0') {
      findings.push(
        damage(subject, `${orphans} rows of ${table} refer to rows of ${parent} that are not there (${name})`),
      )
    }
  }
  return findings
}

async function countOrphans(ask: Ask, table: string, parent: string, filled: string, joins: string): Promise<string> {
  const orphans = `select 1 from ${quoted(parent)} p where ${joins}`
  try {
    const rows = await ask(`select count(*) from ${quoted(table)} c where ${filled} and not exists (${orphans})`)
    return rows[0]?.[0] ?? '0'
  } catch (thrown) {
    // because the table that they refer to may be what is missing
    if (reasonOf(thrown) === undefined) throw thrown
    return 'all'
  }
}

/** As the last lines of `mariadb-dump` and `mysqldump` are. */
function lookAtEnds(subject: string, { head, tail }: { readonly head: string; readonly tail: string }): Finding[] {
  const said = /SET NAMES (\w+)/.exec(head)?.[1]
  return [
    ...(/^-- Dump completed/m.test(tail) ? [] : [damage(subject, 'the dump does not come to its end')]),
    ...(said === undefined || said === 'utf8mb4' ? [] : [damage(subject, `the dump is in ${said} and not in utf8mb4`)]),
  ]
}

/** `mariadb --batch` writes a row a line, and escapes what would break it. */
async function rowsOf(server: MariadbServer, sql: string, database?: string): Promise<(string | null)[][]> {
  const output = await server.run(sql.replace(/\s+$/, ''), database)
  if (output === '') return []
  return output.split('\n').map((line) => line.split('\t').map((value) => (value === 'NULL' ? null : unescaped(value))))
}

function unescaped(value: string): string {
  const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\t': '\t', '\\0': '\0', '\\\\': '\\' }
  return value.replace(/\\[nt0\\]/g, (escape) => escapes[escape]!)
}

function liveDatabase(server: MariadbServer, name: string, path: string): LiveDatabase {
  return {
    name,
    path,
    environment: {
      DB_CONNECTION: 'mysql',
      DB_HOST: 'localhost',
      DB_SOCKET: server.socket,
      DB_DATABASE: name,
      DB_USERNAME: server.superuser,
      DB_PASSWORD: '',
      DB_URL: '',
      MYSQL_UNIX_PORT: server.socket,
    },
    ask: (query) => rowsOf(server, `set session transaction read only;\n${query}`, name),
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
