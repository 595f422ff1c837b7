import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { pause, Secret, systemClock } from '#base'
import {
  confirmLoad,
  inspectTarget,
  loadDatabase,
  loadGlobals,
  namesInGlobals,
  undoLoad,
  type LoadOptions,
  type LoadResult,
  type LoadTarget,
  type ServerAddress,
  type WayBack,
} from '#sources'
import { hostileToPsql, sampled } from './hostile-dumps.ts'
import { inPieces, lastArtifact, makeScene, skip, type Scene } from './postgresql-scene.ts'

const schema = `
create table customer (id serial primary key, name text not null unique);
create table invoice (id int generated always as identity primary key, customer int not null references customer, total numeric,
  doubled numeric generated always as (total * 2) stored);
create index invoice_total on invoice (total);
create table note (id int, text text);
create view totals as select c.name, sum(i.total) from customer c join invoice i on i.customer = c.id group by 1;
create function forbid() returns trigger language plpgsql as $$ begin raise exception 'no rows by hand'; end $$;
insert into customer (name) select 'customer ' || n from generate_series(1, 40) n;
insert into invoice (customer, total) select 1 + n % 40, n from generate_series(1, 500) n;
insert into note values (1, 'first'), (2, E'\\\\! touch x\\n\\\\.\\nsecond');
create trigger forbid before insert on customer for each row execute function forbid();
select lo_from_bytea(4711, 'large')`

suite('a dump goes into a PostgreSQL server that is in use', { skip }, () => {
  let scene: Scene
  let dump: Buffer
  let facts: LoadOptions['facts']
  let rows: Readonly<Record<string, number>>
  let ways: WayBack[]

  const targetOf = (database: string, connection?: ServerAddress): LoadTarget => ({
    kind: 'postgresql',
    host: scene.context.host,
    connection: connection ?? scene.administrator,
    database,
  })
  const load = (
    target: LoadTarget,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    { beforeSwap, ...options }: Partial<LoadOptions> & { readonly beforeSwap?: () => Promise<void> } = {},
  ): Promise<LoadResult> => {
    const stream = bytes instanceof Uint8Array ? inPieces(bytes, 1000) : bytes
    const context = {
      ...(beforeSwap && { beforeSwap }),
      temporaryFolder: scene.folder,
      clock: systemClock,
      progress: () => {},
      onWayBack: (way: WayBack) => void ways.push(way),
    }
    return loadDatabase(target, stream, { format: 'plain', replace: true, rows, facts: facts!, ...options }, context)
  }
  const databases = async (): Promise<string[]> =>
    (await scene.server.run(`select datname from pg_database where datname like 'shop%' order by 1`)).split('\n')
  const count = async (database: string): Promise<string> =>
    (await scene.server.run('select count(*) from invoice; select count(*) from note', database)).replace('\n', ' ')
  const makeShop = async (): Promise<void> => {
    await scene.server.run('drop database if exists shop with (force)')
    await scene.server.run('create database shop owner keeper')
    await scene.server.run(`set role keeper; ${schema}`, 'shop')
  }
  /** What somebody did to it since the backup. */
  const harm = (): Promise<string> =>
    scene.server.run(
      `delete from invoice where id > 3; create table later (a int); insert into note values (3, 'later')`,
      'shop',
    )

  before(async () => {
    scene = await makeScene()
    await scene.server.run(`create role keeper login; create role reader; grant pg_read_all_data to reader`)
    await makeShop()
    dump = await scene.dump('shop')
    ;({ facts, rows } = lastArtifact(scene) as { facts: LoadOptions['facts']; rows: Record<string, number> })
  })
  after(() => scene[Symbol.asyncDispose]())

  const fresh = async (): Promise<void> => {
    ways = []
    const others = (await databases()).filter((name) => name !== '' && name !== 'shop')
    for (const name of others) await scene.server.run(`drop database "${name}" with (force)`)
    await makeShop()
  }

  test('one that is not there is made, and going back removes it', async () => {
    await fresh()
    const target = targetOf('shop_new')
    const result = await load(target, dump, { owner: 'keeper' })
    assert.equal(result.method, 'create')
    assert.deepEqual(result.rows, rows)
    assert.equal(result.bytes, dump.length)
    assert.equal(await count('shop_new'), '500 2')
    const owner = `select pg_get_userbyid(datdba) from pg_database where datname = 'shop_new'`
    assert.equal(await scene.server.run(owner), 'keeper')
    await undoLoad(target, result.wayBack)
    assert.deepEqual(await databases(), ['shop'])
  })

  test('one that holds something is not touched without being told', async () => {
    await fresh()
    await assert.rejects(load(targetOf('shop'), dump, { replace: false }), { code: 'source.target-filled' })
    assert.deepEqual(ways, [])
  })

  test('one in use is replaced in one step, keeps its settings and rights, and can be had back', async () => {
    await fresh()
    await harm()
    await scene.server
      .run(`alter database shop set search_path to public, "a b"; alter role keeper in database shop set work_mem to '5MB';
      revoke all on database shop from public; grant connect on database shop to reader; comment on database shop is 'it''s'`)
    const about = `select setdatabase = d.oid, setrole, setconfig from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
      where datname = 'shop' order by setrole; select datacl, pg_get_userbyid(datdba), shobj_description(oid, 'pg_database') from pg_database where datname = 'shop'`
    const settings = await scene.server.run(about)
    const session = scene.server.run('select pg_sleep(600)', 'shop').catch((thrown: unknown) => String(thrown))
    const sessions = `select count(*) from pg_stat_activity where datname = 'shop' and query = 'select pg_sleep(600)'`
    while ((await scene.server.run(sessions)) === '0') await pause(20)
    const result = await load(targetOf('shop'), dump)
    assert.equal(result.method, 'beside')
    assert.deepEqual(ways, [result.wayBack])
    assert.equal(await count('shop'), '500 2')
    assert.equal(await scene.server.run(about), settings)
    assert.match(await session, /terminating connection/)
    assert.ok(result.wayBack.how === 'swap')
    assert.equal(await count(result.wayBack.before), '3 3')

    await undoLoad(targetOf('shop'), result.wayBack)
    await undoLoad(targetOf('shop'), result.wayBack)
    assert.equal(await count('shop'), '3 3')
    assert.deepEqual(await databases(), ['shop'])
    const again = await load(targetOf('shop'), dump)
    await confirmLoad(targetOf('shop'), again.wayBack)
    assert.equal(await count('shop'), '500 2')
    assert.deepEqual(await databases(), ['shop'])
  })

  const broken: Readonly<Record<string, () => AsyncIterable<Uint8Array>>> = {
    // Behind its large objects, which come with a transaction of their own: its end must not be that of ours.
    'says late what the server refuses': () =>
      inPieces(Buffer.from(dump.toString('latin1').replace('ADD CONSTRAINT', 'ADD CONSTRAIN'), 'latin1')),
    'is cut off between two statements': () => inPieces(dump.subarray(0, dump.indexOf('COPY public.note'))),
    'cannot be read to its end': async function* () {
      yield* inPieces(dump.subarray(0, 6000), 1000)
      throw new Error('its checksum is wrong')
    },
    'is cut off': () => inPieces(dump.subarray(0, dump.length - 500)),
    'is empty': () => inPieces(Buffer.alloc(0)),
    'lacks a row': () => inPieces(Buffer.from(dump.toString('latin1').replace('1\tfirst\n', ''), 'latin1')),
    'says what the server refuses': () =>
      inPieces(Buffer.from(dump.toString('latin1').replace('ALTER TABLE', 'ALTER TABEL'), 'latin1')),
  }
  test('a dump that is not whole leaves everything as it was, whether beside or in one transaction', async () => {
    await fresh()
    await harm()
    const login = await limited()
    await assert.rejects(load(targetOf('shop'), broken['lacks a row']!()), { code: 'source.load-differs' })
    // Else it is refused before anything is done, because what belongs to another cannot be replaced.
    await scene.server.run('alter table later owner to keeper', 'shop')
    for (const [how, bytes] of sampled(broken)) {
      await assert.rejects(load(targetOf('shop', login), bytes()), /source|checksum|dump|load/, how)
      assert.equal(await count('shop'), '3 3', how)
    }
    assert.deepEqual(await databases(), ['shop'])
  })

  /** A login that owns the database and may make no other. */
  async function limited(): Promise<ServerAddress> {
    await scene.server.run(`alter role keeper password 'kept'`)
    return { host: '127.0.0.1', port: scene.server.port, user: 'keeper', password: new Secret('kept') }
  }

  test('a login that may make no database replaces everything in one transaction', async () => {
    await fresh()
    await scene.server.run('create extension hstore; create view counted as select count(*) from note', 'shop')
    await harm()
    const login = await limited()
    const { method } = await inspectTarget(targetOf('shop', login), { facts: facts! })
    assert.equal(method, 'transaction')
    await scene.server.run('alter table later owner to keeper; alter view counted owner to keeper', 'shop')
    const result = await load(targetOf('shop', login), dump)
    assert.equal(result.method, 'transaction')
    assert.equal(await count('shop'), '500 2')
    assert.equal(
      await scene.server.run(`select to_regclass('later') is null, to_regclass('counted') is null`, 'shop'),
      't|t',
    )
    await assert.rejects(undoLoad(targetOf('shop', login), result.wayBack), { code: 'source.no-way-back' })
  })

  test('an empty one is filled, and going back empties it again', async () => {
    await fresh()
    await scene.server.run('create database shop_empty')
    const target = targetOf('shop_empty')
    const result = await load(target, dump, { replace: false })
    assert.equal(result.method, 'fill')
    await undoLoad(target, result.wayBack)
    assert.ok((await inspectTarget(target, { facts: facts! })).isEmpty)
  })

  test('one that waits and is told not to go on leaves everything as it was: made, filled or beside', async () => {
    await fresh()
    await harm()
    await scene.server.run('create database shop_empty')
    const seen: string[] = []
    for (const [database, method] of Object.entries({ shop_new: 'create', shop_empty: 'fill', shop: 'beside' })) {
      const target = targetOf(database)
      assert.equal((await inspectTarget(target, { facts: facts! })).method, method)
      const beforeSwap = async (): Promise<void> => {
        // All of it was taken by then, and nobody sees anything of it.
        seen.push(`${database}: ${await count('shop')}`)
        if (database === 'shop_empty') assert.ok((await inspectTarget(target, { facts: facts! })).isEmpty)
        throw new Error('another step has failed')
      }
      await assert.rejects(load(target, dump, { beforeSwap }), /another step has failed/, database)
    }
    assert.deepEqual(seen, ['shop_new: 3 3', 'shop_empty: 3 3', 'shop: 3 3'])
    assert.equal(await count('shop'), '3 3')
    assert.deepEqual(await databases(), ['shop', 'shop_empty'])
    assert.ok((await inspectTarget(targetOf('shop_empty'), { facts: facts! })).isEmpty)
  })

  test('what a kill left waiting is removed by going back, and what was there is not touched', async () => {
    await fresh()
    await harm()
    for (const database of ['shop_new', 'shop']) {
      const target = targetOf(database)
      const beforeSwap = async (): Promise<void> => {
        const there = await databases()
        assert.equal(there.length, 2, `${there.join()} while ${database} waits`)
        // What is written down by then is all that a process that comes after a kill has.
        await undoLoad(target, ways.at(-1)!)
        assert.deepEqual(await databases(), ['shop'])
      }
      await assert.rejects(load(target, dump, { beforeSwap }), /does not exist/)
    }
    assert.equal(await count('shop'), '3 3')
    assert.deepEqual(await databases(), ['shop'])
  })

  test('one table gets its rows back, and nothing around it changes', async () => {
    await fresh()
    await harm()
    const around = `select pg_get_constraintdef(oid), conname from pg_constraint where contype = 'f'; select tgname, tgenabled from pg_trigger where not tgisinternal;
      select count(*) from totals; select count(*) from later`
    await scene.server.run(
      `delete from invoice; delete from customer where id > 5; insert into invoice (customer, total) values (3, 9); grant select on customer to reader`,
      'shop',
    )
    const result = await load(targetOf('shop'), dump, { tables: ['customer', 'public.note'] })
    assert.equal(result.method, 'tables')
    assert.deepEqual(result.rows, { 'public.customer': 40, 'public.note': 2 })
    assert.equal(await scene.server.run('select count(*) from customer', 'shop'), '40')
    assert.equal(await count('shop'), '1 2')
    assert.match(
      await scene.server.run(around, 'shop'),
      /^FOREIGN KEY \(customer\) REFERENCES customer\(id\)\|invoice_customer_fkey\nforbid\|O\n1\n0$/,
    )
    assert.equal(await scene.server.run(`select has_table_privilege('reader', 'customer', 'select')`, 'shop'), 't')
    await undoLoad(targetOf('shop'), result.wayBack)
    await undoLoad(targetOf('shop'), result.wayBack)
    assert.equal(await scene.server.run('select count(*) from customer', 'shop'), '5')
    assert.equal(await count('shop'), '1 3')
    const again = await load(targetOf('shop'), dump, { tables: ['invoice'] }).catch((thrown: unknown) => thrown)
    assert.match(String(again), /violates foreign key|customer/)
    assert.equal(await count('shop'), '1 3')
  })

  for (const [format] of sampled({ custom: true, plain: true }, 1)) {
    test(`a table that is gone comes back with all that belongs to it, from a ${format} dump`, async () => {
      await fresh()
      const isPlain = format === 'plain'
      const source = isPlain ? dump : await scene.dump('shop', { format: 'custom' })
      await scene.server.run('drop table invoice cascade', 'shop')
      const result = await load(targetOf('shop'), source, { tables: ['invoice'], format: isPlain ? 'plain' : 'custom' })
      const belongs = `select count(*) from pg_indexes where tablename = 'invoice'; select count(*) from pg_constraint where conrelid = 'invoice'::regclass;
        insert into invoice (customer, total) values (1, 1) returning id`
      assert.equal(await scene.server.run(belongs, 'shop'), '2\n2\n501')
      await undoLoad(targetOf('shop'), result.wayBack)
      assert.equal(await scene.server.run(`select to_regclass('invoice') is null`, 'shop'), 't')
    })
  }

  test('a table that the dump has not is said so, and nothing changes', async () => {
    await fresh()
    await assert.rejects(load(targetOf('shop'), dump, { tables: ['nothing'] }), { code: 'source.table-missing' })
  })

  test('a dump that holds commands of the client runs nothing on this machine', async () => {
    await fresh()
    await harm()
    const login = await limited()
    const file = join(scene.folder, 'planted')
    for (const [how, text] of sampled(hostileToPsql)) {
      const planted = dump
        .toString('latin1')
        .replace('CREATE VIEW', () => `${text.replaceAll('FILE', file)}CREATE VIEW`)
      await assert.rejects(load(targetOf('shop', login), Buffer.from(planted, 'latin1')), how)
      assert.ok(!existsSync(file), how)
      assert.equal(await count('shop'), '3 3', how)
    }
  })

  test('what a dump needs and the server has not is known before anything is written', async () => {
    await fresh()
    const needs = { ...facts, extensions: 'plpgsql 1.0, no_such 1.0' }
    const report = await inspectTarget(targetOf('shop'), { facts: needs, roles: ['keeper', 'nobody there'] })
    assert.deepEqual(report.missing, { roles: ['nobody there'], extensions: ['no_such'] })
    assert.equal(report.findings.length, 2)
    assert.deepEqual([report.exists, report.isEmpty, report.tables, report.method], [true, false, 3, 'beside'])
    await assert.rejects(inspectTarget(targetOf('shop'), { facts: { server: '99.1' } }), {
      code: 'source.server-older',
    })
    const none = await inspectTarget(targetOf('shop_none'), { facts: {} })
    assert.deepEqual([none.exists, none.isEmpty, none.method], [false, true, 'create'])
  })

  test('roles come first, those that are there stay as they are, and passwords only when asked', async () => {
    const text = `CREATE ROLE keeper;\nALTER ROLE keeper WITH SUPERUSER;\nCREATE ROLE "new $$ one";
ALTER ROLE "new $$ one" WITH NOSUPERUSER LOGIN PASSWORD 'md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
COMMENT ON ROLE "new $$ one" IS 'two
lines; it''s';
GRANT reader TO "new $$ one" GRANTED BY postgres;\nGRANT nobody TO "new $$ one";\n\\! touch ${scene.folder}/planted\n`
    const globals = (): AsyncIterable<Uint8Array> => inPieces(Buffer.from(text), 50)
    assert.deepEqual(await namesInGlobals('postgresql', globals()), ['keeper', 'new $$ one'])
    const target = targetOf('shop')
    const result = await loadGlobals(target, globals(), { passwords: false })
    assert.deepEqual([result.made, result.left], [['new $$ one'], ['keeper']])
    assert.equal(result.findings.length, 1)
    assert.match(result.findings[0]!.text, /^GRANT nobody TO "new \$\$ one" was refused: role "nobody" does not exist$/)
    const about = `select rolsuper, rolcanlogin, rolpassword is not null, shobj_description(oid, 'pg_authid'), pg_has_role(oid, 'reader', 'member') from pg_authid where rolname in ('keeper', 'new $$ one') order by rolname`
    assert.equal(await scene.server.run(about), "f|t|t||f\nf|t|f|two\nlines; it's|t")
    assert.ok(!existsSync(join(scene.folder, 'planted')))
    await scene.server.run('drop role "new $$ one"')
    await loadGlobals(target, globals(), { passwords: true, only: ['new $$ one'] })
    assert.match(await scene.server.run(about), /\nf\|t\|t\|two/)
  })
})
