import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { Secret, systemClock } from '#base'
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
import { hostileToMysql, sampled } from './hostile-dumps.ts'
import { inPieces, lastArtifact, makeScene, skip, type Scene } from './mysql-scene.ts'

const schema = `
create table customer (id int primary key auto_increment, name varchar(50) not null unique);
create table invoice (id int primary key auto_increment, customer int not null, total decimal(10, 2),
  constraint of_customer foreign key (customer) references customer (id), key (total));
create table log (id int primary key auto_increment, text varchar(200));
create sequence numbers start with 100;
create view totals as select c.name, sum(i.total) as total from customer c join invoice i on i.customer = c.id group by 1;
create view second_view as select count(*) as n from totals;
insert into customer (name) select concat('customer ', seq) from seq_1_to_40;
insert into invoice (customer, total) select 1 + seq % 40, seq from seq_1_to_500;
insert into log (text) values ('first'), ('\\\\! touch x\\n-- Dump completed\\nsecond');
create trigger noted after insert on invoice for each row insert into log (text) values (concat('invoice ', new.id));
create procedure forget() delete from log;
create function two() returns int deterministic return 2;
create event nightly on schedule every 1 day do call forget();
select nextval(numbers);`

suite('a dump goes into a MariaDB server that is in use', { skip }, () => {
  let scene: Scene
  let dump: Buffer
  let facts: LoadOptions['facts']
  let rows: Readonly<Record<string, number>>
  let ways: WayBack[]

  const targetOf = (database: string, connection?: ServerAddress): LoadTarget => ({
    kind: 'mysql',
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
      temporaryFolder: scene.context.temporaryFolder,
      clock: systemClock,
      progress: () => {},
      onWayBack: (way: WayBack) => void ways.push(way),
    }
    return loadDatabase(target, stream, { format: 'plain', replace: true, rows, facts: facts!, ...options }, context)
  }
  const databases = async (): Promise<string[]> =>
    (
      await scene.server.run(
        `select schema_name from information_schema.schemata where schema_name like 'shop%' order by 1`,
      )
    ).split('\n')
  /** Rows, and everything that is made beside tables. */
  const stateOf = async (database: string): Promise<string> => {
    const is = (column: string): string => `${column} = '${database}'`
    const text = await scene.server.run(
      `select count(*) from invoice; select count(*) from log;
       select group_concat(table_name order by 1) from information_schema.views where ${is('table_schema')};
       select group_concat(trigger_name) from information_schema.triggers where ${is('trigger_schema')};
       select group_concat(routine_name order by 1) from information_schema.routines where ${is('routine_schema')};
       select group_concat(event_name) from information_schema.events where ${is('event_schema')};
       select concat(constraint_name, ' ', referenced_table_name, ' ', unique_constraint_schema = '${database}') from information_schema.referential_constraints where ${is('constraint_schema')}`,
      database,
    )
    return text.replaceAll('\n', ' ')
  }
  const whole = '500 2 second_view,totals noted forget,two nightly of_customer customer 1'
  const harmed = '3 3 second_view,totals noted forget,two nightly of_customer customer 1'
  const harm = (): Promise<string> =>
    scene.server.run(
      `delete from invoice where id > 3; create table later (a int); insert into log (text) values ('later')`,
      'shop',
    )

  before(async () => {
    scene = await makeScene()
    await scene.createDatabase('shop')
    await scene.server.run(schema, 'shop')
    dump = await scene.dump('shop')
    ;({ facts, rows } = lastArtifact(scene) as { facts: LoadOptions['facts']; rows: Record<string, number> })
  })
  after(() => scene[Symbol.asyncDispose]())

  const fresh = async (): Promise<void> => {
    ways = []
    for (const name of (await databases()).filter((one) => one !== ''))
      await scene.server.run(`drop database \`${name}\``)
    await scene.server.run('create database shop character set latin1 collate latin1_german2_ci')
    await scene.server.run(schema, 'shop')
  }

  test('one that is not there is made, and going back removes it', async () => {
    await fresh()
    const target = targetOf('shop_new')
    const result = await load(target, dump)
    assert.equal(result.method, 'create')
    assert.deepEqual(result.rows, rows)
    assert.equal(await stateOf('shop_new'), whole)
    await undoLoad(target, result.wayBack)
    assert.deepEqual(await databases(), ['shop'])
    await assert.rejects(load(targetOf('shop'), dump, { replace: false }), { code: 'source.target-filled' })
  })

  test('one that waits and is told not to go on, or is killed and undone, leaves everything as it was', async () => {
    await fresh()
    await harm()
    const target = targetOf('shop')
    let seen = ''
    const stopped = async (): Promise<void> => {
      seen = await stateOf('shop')
      throw new Error('another step has failed')
    }
    await assert.rejects(load(target, dump, { beforeSwap: stopped }), /another step has failed/)
    assert.equal(seen, harmed)
    assert.equal(await stateOf('shop'), harmed)
    assert.deepEqual(await databases(), ['shop'])

    const undone = async (): Promise<void> => {
      assert.equal((await databases()).length, 3)
      // What is written down by then is all that a process that comes after a kill has.
      await undoLoad(target, ways.at(-1)!)
      assert.deepEqual(await databases(), ['shop'])
    }
    await assert.rejects(load(target, dump, { beforeSwap: undone }))
    assert.equal(await stateOf('shop'), harmed)
    assert.deepEqual(await databases(), ['shop'])
  })

  test('one in use is replaced in one step with all that belongs to it, and can be had back', async () => {
    await fresh()
    await harm()
    const result = await load(targetOf('shop'), dump)
    assert.equal(result.method, 'beside')
    assert.deepEqual(ways, [result.wayBack])
    assert.equal(await stateOf('shop'), whole)
    assert.equal(await scene.server.run('select nextval(numbers)', 'shop'), '1100')
    assert.ok(result.wayBack.how === 'swap')
    assert.equal(await stateOf(result.wayBack.before), harmed)
    assert.deepEqual(await databases(), ['shop', result.wayBack.before])

    await undoLoad(targetOf('shop'), result.wayBack)
    await undoLoad(targetOf('shop'), result.wayBack)
    assert.equal(await stateOf('shop'), harmed)
    assert.equal(await scene.server.run('select count(*) from later', 'shop'), '0')
    assert.deepEqual(await databases(), ['shop'])
    assert.equal(await scene.server.run('select @@collation_database', 'shop'), 'latin1_german2_ci')
    const again = await load(targetOf('shop'), dump)
    await confirmLoad(targetOf('shop'), again.wayBack)
    assert.equal(await stateOf('shop'), whole)
    assert.deepEqual(await databases(), ['shop'])
  })

  test('a dump that is not whole leaves everything as it was', async () => {
    await fresh()
    await harm()
    const changed = (from: string, to: string): AsyncIterable<Uint8Array> =>
      inPieces(Buffer.from(dump.toString('latin1').replace(from, to), 'latin1'))
    const broken: Readonly<Record<string, () => AsyncIterable<Uint8Array>>> = {
      'is cut off between two tables': () =>
        inPieces(dump.subarray(0, dump.indexOf('-- Table structure for table `log`'))),
      'cannot be read to its end': async function* () {
        yield* inPieces(dump.subarray(0, 3000), 1000)
        throw new Error('its checksum is wrong')
      },
      'is cut off': () => inPieces(dump.subarray(0, dump.length - 30)),
      'is empty': () => inPieces(Buffer.alloc(0)),
      'lacks a row': () => changed("(1,'first'),", ''),
      'says what the server refuses': () => changed('CREATE TABLE `log`', 'CREATE TABEL `log`'),
    }
    for (const [how, bytes] of sampled(broken)) {
      await assert.rejects(load(targetOf('shop'), bytes()), how)
      assert.equal(await stateOf('shop'), harmed, how)
      assert.deepEqual(await databases(), ['shop'], how)
    }
  })

  /** A login with everything in one database. */
  async function limited(): Promise<ServerAddress> {
    await scene.server.run(
      `create user if not exists owner@localhost identified by 'kept'; grant all on shop.* to owner@localhost; grant all on shop_empty.* to owner@localhost`,
    )
    return { socket: scene.server.socket, user: 'owner', password: new Secret('kept') }
  }

  test('a login that may make no database loads over what is there, and says that nothing leads back', async () => {
    await fresh()
    await harm()
    const login = await limited()
    const result = await load(targetOf('shop', login), dump)
    assert.equal(result.method, 'over')
    assert.equal(await stateOf('shop'), whole)
    assert.match(result.findings[0]!.text, /now run with the rights of owner@localhost/)
    await assert.rejects(undoLoad(targetOf('shop', login), result.wayBack), { code: 'source.no-way-back' })
  })

  test('an empty one is filled, and going back empties it again', async () => {
    await fresh()
    await scene.server.run('create database shop_empty')
    const target = targetOf('shop_empty', await limited())
    const result = await load(target, dump, { replace: false })
    assert.equal(result.method, 'fill')
    assert.equal(await stateOf('shop_empty'), whole)
    await undoLoad(target, result.wayBack)
    assert.ok((await inspectTarget(target, { facts: facts! })).isEmpty)
  })

  test('one table comes back with its triggers, and nothing around it changes', async () => {
    await fresh()
    await harm()
    await scene.server.run('delete from invoice; drop trigger noted', 'shop')
    const before = await scene.server.run('select id, text from log', 'shop')
    const result = await load(targetOf('shop'), dump, { tables: ['invoice', 'shop.customer'] })
    assert.equal(result.method, 'tables')
    assert.deepEqual(result.rows, { customer: 40, invoice: 500 })
    assert.equal(await stateOf('shop'), harmed.replace('3 3', '500 3'))
    assert.equal(await scene.server.run('select id, text from log', 'shop'), before)
    await assert.rejects(scene.server.run('insert into invoice (customer) values (999)', 'shop'))
    await undoLoad(targetOf('shop'), result.wayBack)
    await undoLoad(targetOf('shop'), result.wayBack)
    assert.equal(await stateOf('shop'), harmed.replace('3 3', '0 3').replace('noted', 'NULL'))
    assert.deepEqual(await databases(), ['shop'])

    const parent = await load(targetOf('shop'), dump, { tables: ['customer'] })
    await assert.rejects(scene.server.run('insert into invoice (customer) values (999)', 'shop'))
    await scene.server.run('insert into invoice (customer) values (7)', 'shop')
    await confirmLoad(targetOf('shop'), parent.wayBack)
    assert.deepEqual(await databases(), ['shop'])

    await scene.server.run('drop table log', 'shop')
    const gone = await load(targetOf('shop'), dump, { tables: ['log'] })
    assert.equal(await scene.server.run('select count(*) from log', 'shop'), '2')
    await undoLoad(targetOf('shop'), gone.wayBack)
    await assert.rejects(scene.server.run('select count(*) from log', 'shop'))
    await assert.rejects(load(targetOf('shop'), dump, { tables: ['nothing'] }), { code: 'source.table-missing' })
  })

  test('a dump that holds commands of the client runs nothing on this machine, and reads no file of it', async () => {
    await fresh()
    await harm()
    const file = join(scene.context.temporaryFolder, 'planted')
    for (const [how, text] of sampled(hostileToMysql)) {
      const planted = dump.toString('latin1').replace('DROP TABLE', () => `${text.replaceAll('FILE', file)}DROP TABLE`)
      await assert.rejects(load(targetOf('shop'), Buffer.from(planted, 'latin1')), how)
      assert.ok(!existsSync(file), how)
      assert.equal(await stateOf('shop'), harmed, how)
    }
    assert.deepEqual(await databases(), ['shop'])
  })

  test('a server that is older than the dump is refused', async () => {
    const newer = { server: 'MariaDB', serverVersion: '99.1.2-MariaDB' }
    await assert.rejects(inspectTarget(targetOf('shop'), { facts: newer }), { code: 'source.server-older' })
    const report = await inspectTarget(targetOf('shop'), { facts: { ...facts, longestStatementBytes: 1e12 } })
    assert.match(report.findings[0]!.text, /max_allowed_packet/)
  })

  test('users come first, those that are there stay as they are, and passwords only when asked', async () => {
    const text = `-- Users\nCREATE ROLE IF NOT EXISTS 'clerk';
CREATE USER IF NOT EXISTS \`old\`@\`localhost\` IDENTIFIED BY PASSWORD '*AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
CREATE USER IF NOT EXISTS \`new\`@\`localhost\` IDENTIFIED BY PASSWORD '*BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB';
GRANT SELECT ON \`shop\`.* TO \`new\`@\`localhost\`;\nGRANT \`clerk\` TO \`new\`@\`localhost\`;\nGRANT \`missing\` TO \`new\`@\`localhost\`;\n`
    await scene.server.run("create user old@localhost identified by 'own'")
    const globals = (): AsyncIterable<Uint8Array> => inPieces(Buffer.from(text), 40)
    const names = await namesInGlobals('mysql', globals())
    assert.deepEqual(names, ['clerk', 'old@localhost', 'new@localhost'])
    const { missing } = await inspectTarget(targetOf('shop'), { facts: {}, roles: names })
    assert.deepEqual(missing.roles, ['clerk', 'new@localhost'])
    const result = await loadGlobals(targetOf('shop'), globals(), { passwords: false })
    assert.deepEqual([result.made, result.left], [['clerk', 'new@localhost'], ['old@localhost']])
    assert.equal(result.findings.length, 1)
    assert.match(result.findings[0]!.text, /^a right of new@localhost was refused: ERROR/)
    assert.match(await scene.server.run('show create user new@localhost'), /ACCOUNT LOCK/)
    assert.match(await scene.server.run('show grants for new@localhost'), /clerk[^]*SELECT/)
    assert.doesNotMatch(await scene.server.run('show create user old@localhost'), /AAAA/)
    await scene.server.run('drop user new@localhost')
    await loadGlobals(targetOf('shop'), globals(), { passwords: true, only: ['new'] })
    assert.match(await scene.server.run('show create user new@localhost'), /BBBB/)
  })
})
