import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'

import { pause } from '#base'
import {
  assertFails,
  assertNobodyLeft,
  incomplete,
  many,
  processTexts,
  rowsOf,
  shopOf,
  type Expected,
} from './postgresql-faults.ts'
import {
  documentedGrants,
  lastArtifact,
  makeScene,
  password,
  readContent,
  skip,
  type DumpOptions,
  type Scene,
} from './postgresql-scene.ts'

suite('a server that does not give everything ends a dump', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
    await scene.server.run('create database shop')
    await scene.server.run(shopOf(many), 'shop')
  })
  after(() => scene[Symbol.asyncDispose]())

  /** Begins a dump of 10 MB, does something when so many bytes of it have come, and reads the rest. */
  async function meanwhile(act: () => Promise<unknown>, options: DumpOptions = {}, at = 1): Promise<Buffer> {
    const content = await scene.open('shop', options)
    const read: Uint8Array[] = []
    let bytes = 0
    for await (const piece of content.open()) {
      read.push(Buffer.from(piece))
      if (bytes < at && bytes + piece.length >= at) await act()
      bytes += piece.length
    }
    return Buffer.concat(read)
  }

  const sessions = `from pg_stat_activity where application_name = 'bewaar' and pid <> pg_backend_pid()`

  for (const at of [1, 200_000, 2_000_000, 6_000_000]) {
    test(`a connection that is ended after ${at} bytes`, () =>
      assertFails(
        scene,
        () => meanwhile(() => scene.server.run(`select pg_terminate_backend(pid) ${sessions}`), {}, at),
        incomplete(/terminating connection|closed the connection/),
      ))
  }

  test('a network that breaks off', async () => {
    const proxy = createServer((from) => {
      const to = connect(scene.server.port, '127.0.0.1')
      let passed = 0
      to.on('data', (bytes: Buffer) => void ((passed += bytes.length) > 2_000_000 && from.resetAndDestroy()))
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        one.on('error', () => {}).on('close', () => other.destroy())
        one.pipe(other)
      }
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as AddressInfo
    await assertFails(
      scene,
      () => scene.dump('shop', { connection: { ...scene.address, port } }),
      incomplete(/closed|reset/),
    )
    proxy.close()
  })

  test('a query that is cancelled', () =>
    assertFails(
      scene,
      () => meanwhile(() => scene.server.run(`select pg_cancel_backend(pid) ${sessions}`)),
      incomplete(/cancel/),
    ))

  test('an archive whose connection is ended', () =>
    assertFails(
      scene,
      () => meanwhile(() => scene.server.run(`select pg_terminate_backend(pid) ${sessions}`), { format: 'custom' }),
      incomplete(/terminating connection|closed the connection/),
    ))

  for (const signal of ['SIGKILL', 'SIGQUIT', 'SIGINT'] as const) {
    test(`a server that ends by ${signal}`, async () => {
      await assertFails(scene, () => meanwhile(() => scene.server.kill(signal)), incomplete(/connection|shutting down/))
      await scene.server.restart()
    })
  }

  test('a database that is dropped', async () => {
    await scene.server.run('create database kept template shop')
    await assertFails(
      scene,
      () => meanwhile(() => scene.server.run('drop database shop with (force)')),
      incomplete(/terminating connection|closed the connection/),
    )
    await scene.server.run('alter database kept rename to shop')
  })

  /** Runs SQL in a session of its own, which goes on until the returned function is called. */
  async function holding(sql: string): Promise<() => Promise<void>> {
    const running = scene.server.run(`${sql}; select pg_sleep(60)`, 'shop').catch(() => {})
    const asleep = `from pg_stat_activity where query ~ 'pg_sleep' and state = 'active' and pid <> pg_backend_pid()`
    while ((await scene.server.run(`select count(*) ${asleep}`)) === '0') await pause(10)
    return async () => {
      await scene.server.run(`select pg_terminate_backend(pid) ${asleep}`)
      await running
    }
  }

  test('a table that somebody holds locked', async () => {
    const release = await holding('begin; lock table z_last in access exclusive mode')
    await assertFails(scene, () => scene.dump('shop', { lockPatienceMs: 200 }), incomplete(/timeout/))
    await release()
  })

  test('a connection that is ended while it waits for a lock', async () => {
    const release = await holding('begin; lock table z_last in access exclusive mode')
    const end = async (): Promise<void> => {
      const waiting = `${sessions} and wait_event_type = 'Lock'`
      while ((await scene.server.run(`select count(pg_terminate_backend(pid)) ${waiting}`)) === '0') await pause(10)
    }
    const ending = end()
    await assertFails(scene, () => scene.dump('shop'), incomplete(/terminating connection|closed the connection/))
    await ending
    await release()
  })

  const rights: Record<string, [take: string, give: string, Expected]> = {
    'row security, without the right to pass it': [
      'alter role bewaar nobypassrls; alter table z_last enable row level security',
      'alter role bewaar bypassrls; alter table z_last disable row level security',
      incomplete(/row-level security/),
    ],
    'no right on a table': [
      `revoke pg_read_all_data from bewaar; grant usage on schema other to bewaar;
      grant select on all tables in schema public, other to bewaar; revoke select on z_last from bewaar`,
      'grant pg_read_all_data to bewaar',
      incomplete(/permission denied for table z_last/),
    ],
    'no right on a schema': [
      `revoke pg_read_all_data from bewaar; revoke usage on schema other from bewaar; grant select on z_last to bewaar`,
      'grant pg_read_all_data to bewaar',
      incomplete(/permission denied for schema other/),
    ],
    'no right on a large object': [
      'alter role bewaar reset lo_compat_privileges',
      'alter role bewaar set lo_compat_privileges = on',
      incomplete(/permission denied for large object/),
    ],
    'no right on a sequence': [
      `revoke pg_read_all_data from bewaar; grant usage on schema other to bewaar;
      grant select on all tables in schema public, other to bewaar; create sequence public.numbers`,
      'grant pg_read_all_data to bewaar; drop sequence public.numbers',
      incomplete(/permission denied for sequence numbers/),
    ],
  }
  for (const [name, [take, give, expected]] of Object.entries(rights)) {
    test(name, async () => {
      await scene.server.run(take, 'shop')
      await assertFails(scene, () => scene.dump('shop'), expected)
      await scene.server.run(give, 'shop')
    })
  }

  test('a page of a table that cannot be read', async () => {
    await scene.server.run(
      'create table broken as select repeat(md5(i::text), 9) from generate_series(1, 999) i',
      'shop',
    )
    const path = await scene.server.run(`checkpoint; select pg_relation_filepath('broken')`, 'shop')
    await scene.server.kill('SIGINT')
    const file = `${scene.server.socketFolder}/data/${path}`
    const bytes = await readFile(file)
    await writeFile(file, bytes.fill(0x5a, 8192, 9000))
    await scene.server.restart()
    await assertFails(scene, () => scene.dump('shop'), incomplete(/invalid page/))
    await scene.server.run('drop table broken', 'shop')
  })

  test('limits of time that a server sets for others do not touch a dump', async () => {
    await scene.server.run(
      `alter role bewaar set statement_timeout = '20ms'; alter role bewaar set idle_in_transaction_session_timeout = '20ms';
      alter role bewaar set lock_timeout = '20ms'; alter role bewaar set standard_conforming_strings = off;`,
    )
    await meanwhile(() => pause(100))
    assert.deepEqual(lastArtifact(scene).rows, rowsOf(many))
    await scene.server.run(
      `alter role bewaar reset statement_timeout; alter role bewaar reset idle_in_transaction_session_timeout;
      alter role bewaar reset lock_timeout; alter role bewaar reset standard_conforming_strings`,
    )
  })

  test('rows that come and go while it runs are not in it, and a change of a table waits', async () => {
    let changing: Promise<unknown> = Promise.resolve()
    await meanwhile(async () => {
      await scene.server.run(
        `insert into z_last values (6); delete from m_big; create table late (a integer); drop table if exists none`,
        'shop',
      )
      changing = scene.server.run('alter table z_last add column more integer; truncate z_last', 'shop')
      await pause(50)
    })
    assert.deepEqual(lastArtifact(scene).rows, rowsOf(many))
    await changing
  })

  test('a dump that nobody reads on, or that is stopped, leaves nothing behind', async () => {
    await scene.server.run(
      'insert into m_big select i, repeat(md5(i::text), 15) from generate_series(1, 20000) i',
      'shop',
    )
    const content = await scene.open('shop')
    for await (const piece of content.open()) {
      assert.ok(piece.length > 0)
      break
    }
    await assertNobodyLeft(scene)

    const stop = new AbortController()
    const reading = async (): Promise<void> => {
      for await (const _ of (await scene.open('shop')).open(stop.signal)) stop.abort(new Error('stopped'))
    }
    await assert.rejects(reading, { message: 'stopped' })
    await assertNobodyLeft(scene)
    await assert.rejects(readContent(content, stop.signal), { message: 'stopped' })
    while ((await scene.server.run(`select count(*) ${sessions}`)) !== '0') await pause(10)
  })

  test('no password is in an argument list or an environment while a dump runs', async () => {
    const seen: string[] = []
    for (const format of ['plain', 'custom'] as const) {
      await meanwhile(async () => void seen.push(...processTexts()), { format }, 2)
    }
    assert.ok(seen.some((text) => text.includes('pg_dump') && text.includes(`port='${scene.server.port}'`)))
    for (const text of seen) assert.ok(!text.includes('canary') && !text.includes(password))
  })

  test('the rights of the documents are enough, and no right to change anything', async () => {
    assert.match(documentedGrants(), /pg_read_all_data/)
    const { facts } = (await scene.dump('shop'), lastArtifact(scene))
    assert.equal(facts['largeObjects'], 1)
    const asRole = `set role bewaar; set default_transaction_read_only = off;`
    await assert.rejects(scene.server.run(`${asRole} delete from z_last`, 'shop'), /permission denied/)
    await assert.rejects(scene.server.run(`${asRole} create table mine (a integer)`, 'shop'), /permission denied/)
  })
})
