import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { Secret } from '#base'
import type { ServerAddress } from '#sources'
import { everything } from './mysql-schema.ts'
import { lastArtifact, makeScene, readPart, skip, type Scene } from './mysql-scene.ts'

/** Checksum and rows of each table and view, by name. */
async function contents({ server }: Scene, database: string): Promise<Record<string, string>> {
  const listed = await server.run(
    `select hex(table_name), table_type from information_schema.tables where table_schema = database()`,
    database,
  )
  const names: string[] = []
  const questions = listed.split('\n').map((line) => {
    const [hexName = '', type] = line.split('\t')
    names.push(Buffer.from(hexName, 'hex').toString())
    const quoted = `\`${names.at(-1)!.replaceAll('`', '``')}\``
    const past = type === 'SYSTEM VERSIONED' ? ' for system_time all' : ''
    const sums = type === 'BASE TABLE' ? `checksum table ${quoted} extended;` : 'select 0;'
    return `${sums} select count(*) from ${quoted}${past};`
  })
  const answers = (await server.run(questions.join('\n'), database)).split('\n').map((line) => line.split('\t').at(-1)!)
  // because the name of a table may have a line feed in it
  const numbers = answers.filter((answer) => /^\d+$/.test(answer))
  return Object.fromEntries(names.map((name, nth) => [name, `${numbers[2 * nth]} ${numbers[2 * nth + 1]}`]))
}

/** What MariaDB's own program says of a database. Options of a table that loading cannot keep are left out. */
function schemaOf({ server }: Scene, database: string): string {
  const args = ['--no-defaults', `--socket=${server.socket}`, '--user=root', '--no-data', '--routines', '--events']
  const dump = execFileSync('mariadb-dump', [...args, '--skip-dump-date', '--', database], {
    maxBuffer: 1 << 28,
  }).toString()
  return dump.replaceAll(/^-- Host:.*$/gm, '')
}

async function assertRoundTrip(scene: Scene, database: string, copy: string): Promise<void> {
  const { server } = scene
  const dump = await scene.dump(database)
  const { charset, collation } = lastArtifact(scene).facts
  await server.run(`create database ${copy} character set ${charset} collate ${collation}`)
  await scene.load(dump, copy)
  assert.deepEqual(await contents(scene, copy), await contents(scene, database))
  assert.equal(schemaOf(scene, copy).replaceAll(copy, database), schemaOf(scene, database))
}

suite('a dump of MariaDB loads into an empty database with the same rows and the same schema', { skip }, () => {
  let scene: Scene
  before(async () => void (scene = await makeScene()))
  after(() => scene[Symbol.asyncDispose]())

  test('everything that a schema can have, by a user with exactly the documented grants', async () => {
    await scene.createDatabase('shop')
    await scene.server.run(everything, 'shop')
    await assertRoundTrip(scene, 'shop', 'shop_copy')
    const { rows, facts } = lastArtifact(scene)
    const live = await contents(scene, 'shop')
    for (const [table, count] of Object.entries(rows!)) assert.equal(String(count), live[table]!.split(' ')[1], table)
    assert.equal(facts['triggers'], 2)
    const [warning] = scene.context.findings
    assert.equal(warning!.severity, 'warning')
    assert.match(warning!.text, /^table steady cannot be read as of one moment \(engine Aria\)/)
  })

  test('200 tables', async () => {
    await scene.createDatabase('wide')
    const tables = Array.from({ length: 200 }, (_, nth) => `t${nth}`)
    await scene.server.run(
      tables
        .map(
          (name) =>
            `create table ${name} (id int primary key, note text); insert into ${name} select seq, repeat('ü', seq) from seq_1_to_${name.slice(1).length * 3};`,
        )
        .join('\n'),
      'wide',
    )
    await assertRoundTrip(scene, 'wide', 'wide_copy')
    assert.equal(Object.keys(lastArtifact(scene).rows!).length, 200)
  })

  test('a table of 200,000 rows is counted exactly', async () => {
    await scene.createDatabase('long')
    await scene.server.run(
      `create table entry (id int primary key, at datetime, text varchar(200), bytes varbinary(16));
       insert into entry select seq, '2026-01-01' + interval seq minute, concat('row (', seq, '), ''quoted'' \\\\ and;', char(10)), unhex(md5(seq)) from seq_1_to_200000`,
      'long',
    )
    await assertRoundTrip(scene, 'long', 'long_copy')
    assert.deepEqual(lastArtifact(scene).rows, { entry: 200_000 })
  })

  for (const [nth, name] of [
    '-- -rf',
    '$(touch x)',
    'a`b"c\'d',
    '100%_\\x',
    'Ünïcode 数据',
    'x'.repeat(64),
  ].entries()) {
    test(`a database named ${name}`, async () => {
      await scene.createDatabase(name)
      await scene.server.run(`create table t (x int); insert into t values (1), (2)`, name)
      await assertRoundTrip(scene, name, `odd_copy_${nth}`)
      assert.deepEqual(lastArtifact(scene).rows, { t: 2 })
    })
  }

  test('an unchanged database gives the same bytes', async () => {
    assert.ok((await scene.dump('shop')).equals(await scene.dump('shop')))
  })

  test('the SQL mode of the server changes nothing', async () => {
    const usual = await scene.dump('shop')
    await scene.server.run(`set global sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,ORACLE'`)
    assert.ok((await scene.dump('shop')).equals(usual))
    await scene.server.run('set global sql_mode = default')
  })

  test('option files of the machine count when no account is given, and then alone', async () => {
    const home = join(scene.context.temporaryFolder, 'home')
    mkdirSync(home)
    const account = (user: string): string =>
      `[client]\nuser=${user}\n[mysqldump]\nforce\nskip-triggers\nskip-comments\n`
    const dump = async (connection: ServerAddress): Promise<Buffer> =>
      readPart(await scene.part('shop', { connection }, { HOME: home }))
    const usual = await scene.dump('shop')
    writeFileSync(join(home, '.my.cnf'), account('stranger'))
    assert.ok((await dump(scene.address)).equals(usual))
    const { socket } = scene.server
    await assert.rejects(dump({ socket }), { code: 'source.access-refused' })
    writeFileSync(join(home, '.my.cnf'), account('root'))
    assert.ok((await dump({ socket })).equals(usual))
  })

  test('users, roles and grants come back on another server, and those who are there keep their passwords', async () => {
    const { server } = scene
    await scene.createDatabase('office')
    await server.run(`create table office.t (id int);
      create role reader; create role editor; grant select on office.* to reader; grant reader to editor;
      create user 'o''hara'@'%' identified by 'x\\\\y' require ssl with max_user_connections 3; grant editor to 'o''hara'@'%';
      set default role editor for 'o''hara'@'%'; grant update (id), insert on office.t to 'o''hara'@'%' with grant option;
      create user gone@localhost account lock; create user api@'10.0.0.%' identified via unix_socket or mysql_native_password using password('secret')`)
    const globals = await scene.dumpGrants()
    await using other = await makeScene()
    await other.server.run('create database office; create table office.t (id int)')
    await other.server.run(globals.toString())
    await other.server.run(globals.toString())
    const ask = `select user, host, json_remove(priv, '$.password_last_changed') from mysql.global_priv where user not in ('bewaar', 'root') order by 1, 2`
    assert.equal(await other.server.run(ask), await server.run(ask))
    const grants = `show grants for 'o''hara'@'%'; show grants for reader; show grants for editor`
    assert.equal(await other.server.run(grants), await server.run(grants))
  })

  test('an account that may not read the users keeps its own grants, with a finding', async () => {
    await scene.server.run(
      `create user little@localhost identified by 'x'; grant select on office.* to little@localhost`,
    )
    const globals = await scene.dumpGrants({
      socket: scene.server.socket,
      user: 'little',
      password: new Secret('x'),
    })
    assert.match(globals.toString(), /^CREATE USER IF NOT EXISTS `little`@`localhost`/m)
    assert.match(globals.toString(), /^GRANT SELECT ON `office`/m)
    assert.match(scene.context.findings.at(-1)!.text, /GRANT SELECT ON mysql/)
  })
})
