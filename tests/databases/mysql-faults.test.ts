import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { pause } from '#base'
import { faultStage, midway } from './mysql-fault-stage.ts'
import { lastArtifact, skip } from './mysql-scene.ts'

const stage = faultStage()
const { assertFails, dumpWhile, makeDatabase, unchanged } = stage

async function killConnections(how: 'connection' | 'query' = 'connection'): Promise<void> {
  const ids = await stage.scene.server.run(`select id from information_schema.processlist where user = 'bewaar'`)
  assert.notEqual(ids, '')
  await stage.scene.server.run(
    ids
      .split('\n')
      .map((id) => `kill ${how} ${id};`)
      .join(''),
  )
}

suite('a dump of MariaDB never ends well because of the server', { skip }, () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`which ends by ${signal} in the middle`, async () => {
      const name = await unchanged()
      await assertFails(
        dumpWhile(name, () => stage.scene.server.kill(signal)),
        'source.dump-incomplete',
        /Lost connection|gone away|2013/,
      )
      await assertFails(stage.scene.dump(name), 'source.server-unreachable')
      await stage.scene.server.restart()
    })
  }
  for (const at of [1, 50_000, midway, 5_000_000]) {
    test(`which ends the connection after ${at} bytes`, async () => {
      await assertFails(
        dumpWhile(await unchanged(), () => killConnections(), { at }),
        'source.dump-incomplete',
      )
    })
  }
  test('which ends the query', async () => {
    await assertFails(
      dumpWhile(await unchanged(), () => killConnections('query')),
      'source.dump-incomplete',
    )
  })
})

suite('a dump of MariaDB never ends well because of changes in between', { skip }, () => {
  test('the database is dropped', async () => {
    const name = await makeDatabase()
    let dropped: Promise<unknown> | undefined
    const dumped = dumpWhile(name, async () => void (dropped ??= stage.scene.server.run(`drop database ${name}`)))
    await assertFails(dumped, 'source.database-missing')
    await dropped
  })

  const changes: Record<string, { sql: string; rows: number | undefined }> = {
    'a table is dropped': { sql: 'drop view over_late; drop table z_late', rows: undefined },
    'a table is renamed': { sql: 'drop view over_late; rename table z_late to z_later', rows: undefined },
    'a table is rebuilt': { sql: 'alter table z_late force', rows: 500 },
    'a table is truncated': { sql: 'truncate z_late', rows: 0 },
    'a table gets a column at its front': {
      sql: 'alter table z_late add column n int first, algorithm = copy',
      rows: 500,
    },
    'a table gets a column at once': { sql: 'alter table z_late add column n int, algorithm = instant', rows: 500 },
    'a table is replaced': { sql: 'create table n (id int); drop table z_late; rename table n to z_late', rows: 0 },
    'another table is made': { sql: 'create table z_new (id int)', rows: 500 },
    'a routine is dropped': { sql: 'drop procedure p', rows: 500 },
    'an event is dropped': { sql: 'drop event e', rows: 500 },
  }
  for (const [what, { sql, rows }] of Object.entries(changes)) {
    test(`${what}, and another attempt gives a whole dump`, async () => {
      const name = await makeDatabase()
      const dump = await dumpWhile(name, async (attempt) => attempt === 1 && (await stage.scene.server.run(sql, name)))
      assert.match(dump.toString('latin1', dump.length - 200), /-- Dump completed\n$/)
      assert.equal(lastArtifact(stage.scene).rows!['z_late'], rows)
      assert.equal(lastArtifact(stage.scene).rows!['m_big'], 8000)
    })
  }

  test('a table is rebuilt in each attempt', async () => {
    const name = await makeDatabase()
    let attempts = 0
    const rebuild = async (): Promise<unknown> => (attempts++, stage.scene.server.run('alter table z_late force', name))
    await assertFails(dumpWhile(name, rebuild), 'source.dump-incomplete', /1412/)
    assert.equal(attempts, 3)
  })

  test('what a view stands on is dropped', async () => {
    const name = await makeDatabase()
    const dumped = dumpWhile(name, async () => stage.scene.server.run('drop table if exists z_late', name))
    await assertFails(dumped, 'source.view-invalid', /over_late/)
  })
})

suite('a dump of MariaDB never ends well because of locks', { skip }, () => {
  async function whileLocked(name: string, work: (lock: () => Promise<void>) => Promise<void>): Promise<void> {
    let held: Promise<unknown> | undefined
    const lock = async (): Promise<void> => {
      held ??= stage.scene.server.run('lock tables z_late write; select sleep(30)', name)
      held.catch(() => {}) // because it is looked at when the lock is let go
      await pause(200)
    }
    try {
      await work(lock)
    } finally {
      const id = await stage.scene.server.run(
        `select id from information_schema.processlist where info like 'select sleep%'`,
      )
      await stage.scene.server.run(`kill ${id}`)
      await assert.rejects(held!)
    }
  }

  test('one that is held before', async () => {
    const name = await makeDatabase()
    await whileLocked(name, async (lock) => {
      await lock()
      await assertFails(stage.scene.dump(name, { lockTimeoutSeconds: 1 }), 'source.lock-held')
    })
  })

  test('one that is taken in the middle', async () => {
    const name = await makeDatabase()
    await whileLocked(name, (lock) =>
      assertFails(
        dumpWhile(name, lock, { lockTimeoutSeconds: 2 }),
        'source.lock-held',
        /Waiting for table metadata lock/,
      ),
    )
  })
})

suite('a dump of MariaDB never ends well because of what is in it', { skip }, () => {
  test('a view that stands on nothing', async () => {
    const name = await makeDatabase('create table t (id int); create view broken as select * from t; drop table t')
    await assertFails(stage.scene.dump(name), 'source.view-invalid', /broken/)
  })

  test('a table whose file is cut', async () => {
    const name = await makeDatabase(
      `create table t (id int primary key, v varchar(100)) engine = myisam; insert into t select seq, md5(seq) from seq_1_to_1000; flush tables`,
    )
    truncateSync(join(stage.scene.server.dataFolder, name, 't.MYI'), 100)
    await assertFails(stage.scene.dump(name), 'source.table-damaged')
  })

  test('a table whose rows are cut', async () => {
    const name = await makeDatabase(
      `create table t (id int primary key, v varchar(100)) engine = myisam; insert into t select seq, md5(seq) from seq_1_to_1000; flush tables`,
    )
    truncateSync(join(stage.scene.server.dataFolder, name, 't.MYD'), 5000)
    await assertFails(stage.scene.dump(name), 'source.table-damaged')
  })

  test('a table without its rows', async () => {
    const name = await makeDatabase(
      'create table t (id int); insert into t values (1); alter table t discard tablespace',
    )
    await assertFails(stage.scene.dump(name), 'source.table-damaged')
  })

  test('a row that no server of these settings could load again is told of', async () => {
    const name = await makeDatabase(`create table t (b longblob); insert into t values (repeat('x', 12000000))`)
    await stage.scene.dump(name)
    assert.match(stage.scene.context.findings.at(-1)!.text, /max_allowed_packet/)
  })

  test('a limit to the time of statements does not cut the dump', async () => {
    await stage.scene.server.run('set global max_statement_time = 0.2')
    await dumpWhile(await unchanged(), () => pause(500))
    assert.equal(lastArtifact(stage.scene).rows!['m_big'], 8000)
    await stage.scene.server.run('set global max_statement_time = 0')
  })
})
