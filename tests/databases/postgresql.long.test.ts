import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'

import { systemClock } from '#base'
import { lastArtifact, makeScene, skip } from './postgresql-scene.ts'

test('a table of two million rows makes the round trip in both formats', { skip }, async () => {
  await using scene = await makeScene()
  await scene.server.run('create database rows')
  await scene.server.run(
    `create table many as select i as id, md5(i::text) as a, i * 1.1 as b, now() + i * interval '1 s' as c,
      case when i % 3 = 0 then null else repeat(chr(65 + i % 26), i % 50) || E'\\n\\\\.' end as d
    from generate_series(1, 2000000) i`,
    'rows',
  )
  const hash = 'select count(*), sum(hashtextextended(t::text, 0)::numeric) from many t'
  for (const format of ['plain', 'custom'] as const) {
    const dump = await scene.dump('rows', { format })
    assert.deepEqual(lastArtifact(scene).rows, { 'public.many': 2_000_000 })
    await scene.load(dump, `copy_${format}`, { format })
    assert.equal(await scene.server.run(hash, `copy_${format}`), await scene.server.run(hash, 'rows'))
  }
})

test('a host that takes connections and never answers is given up', { skip }, async () => {
  await using scene = await makeScene()
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = silent.address() as { port: number }
    const begun = systemClock.monotonic()
    await assert.rejects(scene.dump('postgres', { connection: { ...scene.address, port } }), {
      code: 'source.server-unreachable',
      message: /timeout expired/,
    })
    assert.ok(systemClock.monotonic() - begun < 60_000)
  } finally {
    silent.close()
  }
})
