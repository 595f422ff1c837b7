import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { assertFails, few, incomplete, rowsOf, shopOf, type Expected } from './postgresql-faults.ts'
import { lastArtifact, makeScene, skip, type Scene } from './postgresql-scene.ts'
import { hostWith, hostWithOldFolder, hostWithout } from './postgresql-stand-in.ts'

suite('a client that does not do its work ends a dump, whatever its exit code', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
    await scene.server.run('create database shop')
    await scene.server.run(shopOf(few), 'shop')
  })
  after(() => scene[Symbol.asyncDispose]())

  const whole = '"$real" "$@"'
  const plain: Record<string, [script: string, Expected]> = {
    'says nothing': ['exit 0', incomplete(/it is empty/)],
    'is cut in the middle of a table': [`${whole} | head -c 500000`, incomplete(/middle of a table/)],
    'is cut before its trailer': [`${whole} | sed '/database dump complete/,$d'`, incomplete(/trailer is missing/)],
    'is cut in its trailer': [`${whole} | sed '/^.unrestrict/,$d'`, incomplete(/trailer is cut off/)],
    'has only its trailer': [`${whole} | tail -n 8`, incomplete(/does not begin/)],
    'lost its first line': [`${whole} | tail -n +3`, incomplete(/does not begin/)],
    'begins with the greeting of a shell': [`echo Welcome; ${whole}`, incomplete(/does not begin/)],
    'lost a table': [`${whole} | sed '/^COPY public.z_last/,/^..$/d'`, incomplete(/public\.z_last/)],
    'lost all tables': [`exec "$real" --schema-only "$@"`, incomplete(/and 1 more/)],
    'lost the end of a table': [`${whole} | sed '/^COPY public.m_big/,/^..$/{/^..$/d}'`, incomplete(/public\.z_last/)],
    'lost the large objects': [`${whole} | sed '/^SELECT pg_catalog.lo_open/d'`, incomplete(/large objects/)],
    'has something after its trailer': [`${whole}; echo 'drop table x;'`, incomplete(/follows its trailer/)],
    'comes twice': [`${whole}; ${whole}`, incomplete(/follows its trailer/)],
    'holds a command of psql': [`${whole} | sed 's/^SET row_security.*/\\\\! touch x/'`, incomplete(/unknown command/)],
    'is of another database': [`exec "$real" "\${@/shop/postgres}"`, incomplete(/are not in it/)],
    'is INSERT statements': [`exec "$real" --inserts "$@"`, incomplete(/are not in it/)],
    'is an archive': [`exec "$real" --format=custom "$@" --format=custom`, incomplete(/begin|trailer/)],
    'is whole, but its program ends with 1': [`${whole}; exit 1`, incomplete(/exit code 1/)],
    'is whole, but its program is killed': [`${whole}; kill -KILL $$`, incomplete(/SIGKILL/)],
    'breaks off when its program is killed': [`${whole} | head -c 200000; kill -KILL $$`, incomplete(/SIGKILL/)],
    'breaks off when its program is ended': [`${whole} | head -c 200000; kill -TERM $$`, incomplete(/SIGTERM/)],
    'breaks off when its program crashes': [`${whole} | head -c 200000; kill -SEGV $$`, incomplete(/SIGSEGV/)],
    'breaks off in a pipe whose last program ends well': [
      `{ ${whole} & sleep 0.05; kill -KILL $!; } 2>/dev/null | cat`,
      incomplete(/middle of a table|trailer|empty/),
    ],
  }
  for (const [name, [script, expected]] of Object.entries(plain)) {
    test(`a dump that ${name}`, async () => {
      const host = await hostWith(scene, { pg_dump: script })
      await assertFails(scene, () => scene.dump('shop', { host }), expected)
    })
  }

  const archives: Record<string, [script: string, Expected]> = {
    'says nothing': ['exit 0', incomplete(/it is empty/)],
    'is cut in its contents': [`${whole} | head -c 2000`, incomplete(/contents is cut off/)],
    'is cut in the middle of a table': [`${whole} | head -c 500000`, incomplete(/middle of a table/)],
    'lost its last byte': [`${whole} | head -c -1`, incomplete(/middle of a table/)],
    'has something at its end': [`${whole}; echo x`, incomplete(/no block of data/)],
    'comes twice': [`${whole}; ${whole}`, incomplete(/no block of data/)],
    'is compressed': [`exec "$real" "$@" --compress=9`, incomplete(/compressed/)],
    'is SQL': [`exec "$real" "$@" --format=plain`, incomplete(/does not begin/)],
    'lost a table': [`exec "$real" "$@" --exclude-table-data=z_last`, incomplete(/public\.z_last/)],
    'lost the large objects': [`exec "$real" "\${@/#-b/--no-blobs}"`, incomplete(/large objects/)],
    'is whole, but its program ends with 3': [`${whole}; exit 3`, incomplete(/exit code 3/)],
    'breaks off when its program is killed': [`${whole} | head -c 200000; kill -KILL $$`, incomplete(/SIGKILL/)],
  }
  for (const [name, [script, expected]] of Object.entries(archives)) {
    test(`an archive that ${name}`, async () => {
      const host = await hostWith(scene, { pg_dump: script })
      await assertFails(scene, () => scene.dump('shop', { host, format: 'custom' }), expected)
    })
  }

  test('globals that are cut, or of which the program fails', async () => {
    for (const script of [`${whole} | head -n 12`, `${whole} | sed '/cluster dump complete/d'`, `${whole}; exit 1`]) {
      const host = await hostWith(scene, { pg_dumpall: script })
      await assertFails(scene, () => scene.dumpGlobals('shop', { host }), incomplete(/trailer|exit code 1/))
    }
  })

  test('a client that is not there', async () => {
    const missing = { code: 'source.client-missing', message: /pg_dump/ }
    await assertFails(scene, () => scene.dump('shop', { host: hostWithout(scene) }), missing)
  })

  test('a client that is older than the server', async () => {
    const old = `case "$1" in --version) echo 'pg_dump (PostgreSQL) 9.6.24'; exit;; esac`
    const host = await hostWith(scene, { pg_dump: 'exit 1' }, old)
    const expected = { code: 'source.client-old', message: /9\.6\.24 .* PostgreSQL \d\d/ }
    await assertFails(scene, () => scene.dump('shop', { host }), expected)
    await assertFails(scene, () => scene.dumpGlobals('shop', { host }), expected)
  })

  test('a client on the PATH is taken when those in the folders are too old', async () => {
    await scene.dump('shop', { host: await hostWithOldFolder(scene) })
    assert.deepEqual(lastArtifact(scene).rows, rowsOf(few))
    assert.equal(lastArtifact(scene).facts['client'], scene.server.version)
  })

  test('a client that does not tell its version', async () => {
    const host = await hostWith(scene, { pg_dump: 'exit 1' }, 'echo hello; exit 0')
    await assertFails(scene, () => scene.dump('shop', { host }), { code: 'source.client-missing', message: /pg_dump/ })
  })

  test('a server that does not say what it holds', async () => {
    for (const script of ['exit 0', 'echo not json']) {
      const host = await hostWith(scene, { psql: script })
      await assertFails(scene, () => scene.dump('shop', { host }), incomplete(/did not say/))
    }
  })

  test('a table that is dropped or renamed right before the dump makes it begin again', async () => {
    const psql = `"$(dirname "$real")/psql" -qh ${scene.server.socketFolder} -p ${scene.server.port} -U postgres shop -c`
    const changes = { 'drop table passing': {}, 'alter table passing rename to passed': { 'public.passed': 0 } }
    for (const [change, rows] of Object.entries(changes)) {
      await scene.server.run('create table passing (a integer)', 'shop')
      const host = await hostWith(scene, { pg_dump: `${psql} '${change}' 2>&-\n${whole}` })
      await scene.dump('shop', { host })
      assert.deepEqual(lastArtifact(scene).rows, { ...rowsOf(few), ...rows })
    }
    await scene.server.run('drop table passed', 'shop')
  })

  test('a table that is gone each time ends the dump in the end', async () => {
    const host = await hostWith(scene, { pg_dump: `exec "$real" "$@" --exclude-table=public.a_first` })
    await assertFails(scene, () => scene.dump('shop', { host }), incomplete(/public\.a_first/))
  })

  test('a dump does not go into a database that holds something', async () => {
    for (const format of ['plain', 'custom'] as const) {
      const dump = await scene.dump('shop', { format })
      const load = scene.load(dump, `again_${format}`, { format, settings: 'template shop' })
      await assert.rejects(load, { code: 'source.target-filled' })
    }
  })

  test('a client that only warns has done its work', async () => {
    const host = await hostWith(scene, { pg_dump: `echo 'pg_dump: warning: x' >&2; exec "$real" "$@"` })
    await scene.dump('shop', { host })
    assert.deepEqual(lastArtifact(scene).rows, rowsOf(few))
  })
})
