import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { pause, systemClock } from '#base'
import { undoLoad, type LoadTarget, type ServerAddress, type WayBack } from '#sources'
import { startScript } from '#sources/testing'
import { chanceOf, seedOf } from '../crash/chance.ts'
import { makeScene as makeMariadb, skip as skipMariadb } from './mysql-scene.ts'
import { makeScene as makePostgresql, skip as skipPostgresql } from './postgresql-scene.ts'

process.env['BEWAAR_LOADS'] ??= 'all'
await import('./load-postgresql.test.ts')
await import('./load-mysql.test.ts')

const kills = Number(process.env['BEWAAR_LOAD_KILLS'] ?? 25)
const seed = seedOf(7)

const script = `
import { createReadStream } from 'node:fs'
import { loadDatabase, localHost } from '#sources'
import { systemClock } from '#base'
const [kind, connection, database, dump, folder] = process.argv.slice(1)
const target = { kind, host: localHost(folder), connection: JSON.parse(connection), database }
const context = { temporaryFolder: folder, clock: systemClock, progress: () => {},
  onWayBack: (way) => console.log('way ' + JSON.stringify(way)) }
await loadDatabase(target, createReadStream(dump, { highWaterMark: 65536 }), { format: 'plain', replace: true }, context)
console.log('done')
`

interface Case {
  readonly target: LoadTarget
  readonly connection: ServerAddress
  readonly dump: Buffer
  readonly folder: string
  /** Everything that must be as it was. */
  readonly state: () => Promise<string>
}

async function killAtRandom({ target, connection, dump, folder, state }: Case): Promise<void> {
  const file = join(folder, 'dump.sql')
  await writeFile(file, dump)
  const start = () => startScript(script, target.kind, JSON.stringify(connection), target.database, file, folder)
  const before = await state()
  const begun = systemClock.monotonic()
  await using whole = start()
  const way = JSON.parse((await whole.said('way ')).slice(4)) as WayBack
  const first = systemClock.monotonic()
  await whole.said('done')
  const lastsMs = systemClock.monotonic() - first
  await undoLoad(target, way)
  assert.equal(await state(), before)
  assert.ok(first > begun)
  const chance = chanceOf(seed)
  for (let attempt = 0; attempt < kills; attempt++) {
    await using running = start()
    const back = JSON.parse((await running.said('way ')).slice(4)) as WayBack
    await pause(chance.next() * lastsMs * 1.1)
    await running.kill()
    await undoLoad(target, back)
    assert.equal(await state(), before, `seed ${seed}, attempt ${attempt}`)
  }
}

suite('a load that is killed at any moment can be undone', { concurrency: 1 }, () => {
  test('into PostgreSQL', { skip: skipPostgresql }, async () => {
    await using scene = await makePostgresql()
    const { server, administrator, context, folder } = scene
    await server.run('create database shop')
    await server.run(
      `create table a (id serial primary key, text text); create view b as select count(*) as n from a;
      insert into a (text) select repeat('x', 200) from generate_series(1, 20000)`,
      'shop',
    )
    const dump = await scene.dump('shop')
    await server.run('delete from a where id > 3; create table later (a int)', 'shop')
    await killAtRandom({
      target: { kind: 'postgresql', host: context.host, connection: administrator, database: 'shop' },
      connection: administrator,
      dump,
      folder,
      state: async () =>
        (await server.run('select n from b; select count(*) from later', 'shop')) +
        (await server.run(`select string_agg(datname, ',' order by datname) from pg_database`)),
    })
  })

  test('into MariaDB', { skip: skipMariadb }, async () => {
    await using scene = await makeMariadb()
    const { server, administrator, context } = scene
    await scene.createDatabase('shop')
    await server.run(
      `create table a (id int primary key auto_increment, text varchar(200)); create view b as select count(*) as n from a;
      insert into a (text) select repeat('x', 200) from seq_1_to_20000;
      create table c (id int, foreign key (id) references a (id)); insert into c values (1), (2);
      create trigger t after insert on c for each row set @x = 1; create procedure p() select 1;
      create event e on schedule every 1 day do select 1`,
      'shop',
    )
    const dump = await scene.dump('shop')
    await server.run('delete from a where id > 3; create table later (a int)', 'shop')
    const listed = [
      'information_schema.tables',
      'information_schema.triggers',
      'information_schema.routines',
      'information_schema.events',
    ]
    const columns = [
      'table_schema, table_name',
      'trigger_schema, trigger_name',
      'routine_schema, routine_name',
      'event_schema, event_name',
    ]
    const all = listed.map((table, nth) => {
      const schema = columns[nth]!.split(',')[0]!
      return `select ${columns[nth]} from ${table} where ${schema} like 'shop%' order by 1, 2;`
    })
    await killAtRandom({
      target: { kind: 'mysql', host: context.host, connection: administrator, database: 'shop' },
      connection: administrator,
      dump,
      folder: context.temporaryFolder,
      state: () =>
        server.run(
          `select n from b; select count(*) from c; select count(*) from later; ${all.join('')} show databases;`,
          'shop',
        ),
    })
  })
})
