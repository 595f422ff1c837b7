import type { Artifact, Finding } from '#model'
import type { PostgresqlServer } from '#sandbox'
import { answer, damage, impossible, joined, notice, reasonOf, unlessRefused, type Answer } from './answer.ts'
import { nullMark, parseCsv } from './csv.ts'
import type { LiveDatabase } from './live-database.ts'
import { questionPostgresql } from './postgresql-questions.ts'
import { watchedDump } from './watched-dump.ts'

/** A dump of a snapshot, and a way to read it. */
export interface RestoredDump {
  readonly artifact: Artifact
  /** What the project calls the database. */
  readonly name: string
  read(): AsyncIterable<Uint8Array>
}

export interface Tried {
  readonly answer: Answer
  /** Absent when it could not be loaded. */
  readonly database?: LiveDatabase
}

/**
 * Makes the roles and tablespaces of a server's globals. What cannot be is no error, but each role must be there in the end.
 *
 * @param globals - what `pg_dumpall --globals-only` wrote.
 */
export async function loadPostgresqlRoles(server: PostgresqlServer, path: string, globals: string): Promise<Answer> {
  // because the places of tablespaces are those of another machine
  const moved = globals.replace(/^(CREATE TABLESPACE .*) LOCATION '(?:[^']|'')*';$/gm, "$1 LOCATION '';")
  try {
    await server.run(`\\set ON_ERROR_STOP 0\nset allow_in_place_tablespaces = on;\n${moved}`)
  } catch (thrown) {
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    return answer(1, [damage(path, `the roles cannot be made: ${reason}`)])
  }
  const wanted = [...globals.matchAll(/^CREATE ROLE (?:"((?:[^"]|"")*)"|([^\s;]+));$/gm)]
  const names = wanted.map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare!)
  const there = new Set((await server.run('select rolname from pg_roles')).split('\n'))
  const missing = names.filter((name) => !there.has(name) && !name.includes('\n'))
  const isWhole = /-- PostgreSQL database cluster dump complete/.test(globals.slice(-2000))
  return answer(names.length + 1, [
    ...missing.map((name) => damage(path, `the role ${name} could not be made`)),
    ...(isWhole ? [] : [damage(path, 'the list of roles does not come to its end')]),
  ])
}

/** Loads a dump into a database of its own, and asks whether it is what the manifest says. */
export async function tryPostgresql(
  server: PostgresqlServer,
  dump: RestoredDump,
  number: number,
  signal: AbortSignal,
): Promise<Tried> {
  const { artifact, name } = dump
  const { path, facts = {} } = artifact
  const unknown = await missingExtensions(server, facts)
  if (unknown.length > 0) {
    const text = `it cannot be loaded here, because this machine has not the extension ${unknown.join(', ')} for PostgreSQL ${server.version}`
    return { answer: impossible(path, text) }
  }
  const own = `restored_${number}`
  const made = await createDatabase(server, own, path, facts)
  const { stream, seen } = watchedDump(dump.read())
  const isPlain = facts['format'] !== 'custom'
  try {
    await server.load(stream, own, isPlain ? 'plain' : 'custom', signal)
  } catch (thrown) {
    signal.throwIfAborted()
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    return { answer: joined([made, answer(1, [damage(path, `it cannot be loaded: ${reason}`)])]) }
  }
  const { sequencesSet, ...ends } = seen()
  const ask = (sql: string): Promise<string> => server.run(sql, own)
  const asked = await unlessRefused(path, () => questionPostgresql(ask, artifact, isPlain ? sequencesSet : undefined))
  const whole = isPlain ? answer(2, lookAtEnds(path, facts, ends)) : answer(0, [])
  return { answer: joined([made, whole, asked]), database: liveDatabase(server, own, path, name) }
}

async function missingExtensions(server: PostgresqlServer, facts: NonNullable<Artifact['facts']>): Promise<string[]> {
  const names = String(facts['extensions'] ?? '')
    .split(', ')
    .filter((one) => one !== '')
  if (names.length === 0) return []
  const available = new Set((await server.run('select name from pg_available_extensions')).split('\n'))
  return names.map((one) => one.slice(0, one.lastIndexOf(' '))).filter((one) => !available.has(one))
}

async function createDatabase(
  server: PostgresqlServer,
  name: string,
  subject: string,
  { encoding = 'UTF8', collation = 'C' }: NonNullable<Artifact['facts']>,
): Promise<Answer> {
  const create = (locale: string): Promise<string> =>
    server.run(`create database ${name} template template0 encoding ${text(encoding)} locale ${text(locale)}`)
  try {
    await create(String(collation))
    return answer(0, [])
  } catch (thrown) {
    if (reasonOf(thrown) === undefined) throw thrown
    await create('C')
    return answer(0, [
      notice(subject, `this machine has not the locale ${collation}, so that order in it was not tried`),
    ])
  }
}

function text(value: string | number): string {
  return `'${String(value).replaceAll("'", "''")}'`
}

/** A dump that was cut off in its rows loads without a complaint. */
function lookAtEnds(
  subject: string,
  { encoding }: NonNullable<Artifact['facts']>,
  { head, tail }: { readonly head: string; readonly tail: string },
): Finding[] {
  const said = /^SET client_encoding = '([^']*)';$/m.exec(head)?.[1]
  return [
    ...(/^-- PostgreSQL database dump complete$/m.test(tail)
      ? []
      : [damage(subject, 'the dump does not come to its end')]),
    ...(said === undefined || encoding === undefined || said === encoding
      ? []
      : [damage(subject, `the dump is in ${said}, and the database was in ${encoding}`)]),
  ]
}

function liveDatabase(server: PostgresqlServer, own: string, path: string, name: string): LiveDatabase {
  const settings = `\\pset format csv\n\\pset null '${nullMark}'\nset client_encoding = 'UTF8'; set default_transaction_read_only = on;\n`
  const { socketFolder, port, superuser } = server
  return {
    name,
    path,
    environment: {
      DB_CONNECTION: 'pgsql',
      DB_HOST: socketFolder,
      DB_PORT: String(port),
      DB_DATABASE: own,
      DB_USERNAME: superuser,
      DB_PASSWORD: '',
      DB_URL: '',
      PGHOST: socketFolder,
      PGPORT: String(port),
      PGUSER: superuser,
      PGDATABASE: own,
      DATABASE_URL: `postgresql://${superuser}@localhost/${own}?host=${encodeURIComponent(socketFolder)}&port=${port}`,
    },
    ask: async (query) => parseCsv(await server.run(`${settings}${query}\n;`, own)),
  }
}
