import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { runProgram } from '#base'
import { startPostgresql } from '#sandbox'
import { everything } from './postgresql-schema.ts'
import { lastArtifact, makeScene, quoteName, skip, type DumpOptions, type Scene } from './postgresql-scene.ts'

/** A hash of all rows of each table, view and large object, by name. What a view without data would say is left out. */
async function contents({ server }: Scene, database: string): Promise<Record<string, string>> {
  const listed = await server.run(
    `select json_agg(json_build_array(
        encode(convert_to(format('%I.%I', n.nspname, c.relname), getdatabaseencoding()), 'hex'), c.oid::regclass::text))
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where (c.relkind in ('r', 'p', 'v') or (c.relkind = 'm' and c.relispopulated))
        and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
    database,
  )
  const names = JSON.parse(listed || '[]') as [string, string][]
  // The name goes as bytes, because psql's own encoding need not be the database's.
  const questions = names.map(
    ([
      hex,
    ]) => `select format('select count(*) || '' '' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from %s t',
      convert_from('\\x${hex}', getdatabaseencoding())) \\gexec`,
  )
  const objects = `select coalesce(md5(string_agg(oid || md5(lo_get(oid)), ',' order by oid)), '') from pg_largeobject_metadata;`
  const sequences = `select coalesce(md5(string_agg(s::text, ',' order by s::text collate "C")), '') from pg_sequences s;`
  const answers = (await server.run([...questions, objects, sequences].join('\n'), database)).split('\n')
  assert.equal(answers.length, names.length + 2)
  return Object.fromEntries(answers.map((answer, nth) => [names[nth]?.[0] ?? `other ${nth - names.length}`, answer]))
}

/** What `pg_dump` says of a database without its rows, or of the roles of a server, without its random word. */
async function schemaOf({ server }: Pick<Scene, 'server'>, database?: string): Promise<string> {
  const place = [`--host=${server.socketFolder}`, `--port=${server.port}`, `--username=${server.superuser}`]
  const [program, what] =
    database === undefined
      ? ['pg_dumpall', ['--globals-only']]
      : ['pg_dump', ['--schema-only', `--dbname=dbname='${database.replaceAll("'", "\\'")}'`]]
  const text = await runProgram(`${server.programFolder}/${program}`, [...place, ...what])
  return text.replaceAll(/^\\(?:un)?restrict .*$/gm, '')
}

/** Rows of each table that has any of its own, as the server counts them, by the name that a manifest gives it. */
async function counts({ server }: Scene, database: string): Promise<Record<string, number>> {
  const answer = await server.run(
    `set client_encoding to 'UTF8';
    create or replace function pg_temp.rows_of(c oid) returns bigint language plpgsql as $$
    declare n bigint; begin execute format('select count(*) from only %s', c::regclass) into n; return n; end $$;
    select coalesce(json_agg(json_build_array(n.nspname, c.relname, pg_temp.rows_of(c.oid))), '[]')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
    database,
  )
  const quote = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name))
  const rows = JSON.parse(answer) as [string, string, number][]
  return Object.fromEntries(rows.map(([schema, table, count]) => [`${quote(schema)}.${quote(table)}`, count]))
}

async function assertRoundTrip(
  scene: Scene,
  database: string,
  copy: string,
  options: DumpOptions = {},
  settings = '',
): Promise<void> {
  const dump = await scene.dump(database, options)
  const { rows } = lastArtifact(scene)
  await scene.load(dump, copy, { format: options.format ?? 'plain', settings })
  assert.deepEqual(await contents(scene, copy), await contents(scene, database))
  assert.equal(await schemaOf(scene, copy), await schemaOf(scene, database))
  assert.deepEqual(rows, await counts(scene, database))
}

suite('a dump of PostgreSQL loads into an empty database with the same rows and the same schema', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
    await scene.server.run('create database everything')
    await scene.server.run(everything, 'everything')
  })
  after(() => scene[Symbol.asyncDispose]())

  test('with everything that a database can hold, as SQL', async () => {
    await assertRoundTrip(scene, 'everything', 'plain_copy')
    const { facts, kind, path } = lastArtifact(scene)
    assert.equal(kind, 'postgresql')
    assert.equal(path, 'database/dump.sql')
    assert.equal(facts['largeObjects'], 3)
    assert.equal(facts['server'], scene.server.version)
    assert.match(String(facts['extensions']), /hstore \d.*, pg_trgm \d/)
  })

  test('with everything that a database can hold, as an archive', async () => {
    await assertRoundTrip(scene, 'everything', 'archive_copy', { format: 'custom' })
    assert.equal(lastArtifact(scene).facts['largeObjects'], 3)
  })

  test('with many rows', async () => {
    await scene.server.run('create database rows')
    await scene.server.run(
      `create table many as select i as id, md5(i::text) as a, i * 1.1 as b, now() + i * interval '1 s' as c,
        case when i % 3 = 0 then null else repeat(chr(65 + i % 26), i % 50) || E'\\n\\\\.' end as d
      from generate_series(1, 200000) i`,
      'rows',
    )
    await assertRoundTrip(scene, 'rows', 'rows_copy')
    assert.deepEqual(lastArtifact(scene).rows, { 'public.many': 200_000 })
  })

  const utf8 = `set client_encoding to 'UTF8';`
  const encodings = {
    LATIN1: `${utf8} create table "tâble ÿ" ("ç" text); insert into "tâble ÿ" values ('ÀÿµÜ'), (E'\\\\.'), (null);`,
    EUC_JP: `${utf8} create table "表 日本" ("列" text); insert into "表 日本" values ('漢字かな交じり文'), ('ﾊﾝｶｸ');`,
    WIN1252: `${utf8} create table "€" (a text); insert into "€" values ('€ „quoted” œ');`,
    SQL_ASCII: `create table "bytes \u00e9" (a text); insert into "bytes \u00e9" values (E'\\xff\\xfe\\x80'), (E'\\xe9');`,
    UTF8: `create table "🐘" (a text); insert into "🐘" values ('🐘 é 日本');`,
  }
  for (const [encoding, sql] of Object.entries(encodings)) {
    test(`in the encoding ${encoding}`, async () => {
      const settings = `template template0 encoding '${encoding}' locale 'C'`
      const name = `in_${encoding.toLowerCase()}`
      await scene.server.run(`create database ${name} ${settings}`)
      await scene.server.run(sql, name)
      const dump = await scene.dump(name)
      const { rows, facts } = lastArtifact(scene)
      assert.equal(facts['encoding'], encoding)
      await scene.load(dump, `${name}_copy`, { settings })
      assert.deepEqual(await contents(scene, `${name}_copy`), await contents(scene, name))
      assert.equal(await schemaOf(scene, `${name}_copy`), await schemaOf(scene, name))
      if (encoding !== 'SQL_ASCII') assert.deepEqual(rows, await counts(scene, name))
      assert.equal(Object.keys(rows ?? {}).length, 1)
    })
  }

  const names = [
    `host=127.0.0.1 port=1 dbname=postgres`,
    'postgresql://127.0.0.1:1/postgres',
    `quote " and ' and \\`,
    'line\nfeed',
    `x; $(touch /tmp/x) ' -- -rf`,
    '--help',
    'emoji 🐘',
    'y'.repeat(63),
  ]
  test('whatever the database is called', async () => {
    for (const [nth, name] of names.entries()) {
      await scene.server.run(`create database ${quoteName(name)}`)
      await scene.server.run(`create table here${nth} (a integer)`, name)
      await scene.dump(name, nth % 2 === 0 ? {} : { format: 'custom' })
      assert.deepEqual(lastArtifact(scene).rows, { [`public.here${nth}`]: 0 })
    }
  })

  test('without the schemas that are left out, whatever they are called', async () => {
    const schemas = ['plain', 'with * and ?', 'a.b', 'Upper "x"', '$$', '[a]']
    await scene.server.run('create database parts')
    for (const schema of schemas) {
      await scene.server.run(`create schema ${quoteName(schema)}; create table ${quoteName(schema)}.t ()`, 'parts')
    }
    await scene.server.run(`select lo_from_bytea(0, 'x')`, 'parts')
    for (const schema of schemas) {
      await scene.dump('parts', { leaveOutSchemas: [schema] })
      const { rows, facts } = lastArtifact(scene)
      assert.equal(Object.keys(rows!).length, schemas.length - 1, schema)
      assert.equal(facts['largeObjects'], 1)
    }
    await scene.dump('parts', { leaveOutSchemas: schemas, format: 'custom' })
    assert.deepEqual(lastArtifact(scene).rows, {})
  })

  test('an empty database has a dump too', async () => {
    await scene.server.run('create database nothing')
    for (const format of ['plain', 'custom'] as const) {
      await assertRoundTrip(scene, 'nothing', `nothing_${format}`, { format })
      assert.deepEqual(lastArtifact(scene).rows, {})
    }
  })

  test('roles, memberships and tablespaces load into another server, with passwords when they may be read', async () => {
    await scene.server.run(
      `create role writer login password 'w' connection limit 3 valid until '2030-01-01'; grant reader to writer with admin option;
      alter role writer set search_path to 'a', 'b'; create role narrow login;`,
    )
    const globals = await scene.dumpGlobals('postgres')
    assert.equal(lastArtifact(scene).facts['rolePasswords'], 'yes')
    assert.match(globals.toString(), /PASSWORD 'SCRAM/)
    await using other = await startPostgresql()
    await other.run(`\\set ON_ERROR_STOP off\n${globals.toString()}`)
    assert.equal(await schemaOf({ server: other }), await schemaOf(scene))

    const connection = { ...scene.administrator, user: 'narrow' }
    assert.doesNotMatch((await scene.dumpGlobals('everything', { connection })).toString(), /SCRAM/)
    assert.equal(lastArtifact(scene).facts['rolePasswords'], 'no')
    assert.match(scene.context.findings.at(-1)!.text, /without their passwords/)
  })
})
