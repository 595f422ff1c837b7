import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'

import { Secret } from '#base'
import { lastArtifact, makeScene, password, readPart, skip } from './mysql-scene.ts'

const rows = 2_000_000

test('a table of 2 million rows comes back with the same rows', { skip }, async () => {
  await using scene = await makeScene()
  const { server } = scene
  await scene.createDatabase('long')
  await server.run(
    `create table entry (id int primary key, at datetime, text varchar(200), bytes varbinary(16), amount decimal(12, 2));
     insert into entry select seq, '2026-01-01' + interval seq second, concat('row (', seq, '), ''quoted'''), unhex(md5(seq)), seq / 7 from seq_1_to_${rows}`,
    'long',
  )
  const dump = await scene.dump('long')
  assert.deepEqual(lastArtifact(scene).rows, { entry: rows })
  await server.run('create database copy')
  await scene.load(dump, 'copy')
  const sums = await server.run('checksum table long.entry extended; checksum table copy.entry extended')
  const [first, second] = sums.split('\n').map((line) => line.split('\t')[1])
  assert.equal(first, second)
})

test('a server that accepts and never answers is given up after ten seconds', { skip }, async () => {
  await using scene = await makeScene()
  await using closing = new AsyncDisposableStack()
  const server = closing.adopt(createServer(() => {}).listen(0, '127.0.0.1'), (open) => void open.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const connection = { host: '127.0.0.1', port, user: 'bewaar', password: new Secret(password) }
  await assert.rejects(scene.dump('shop', { connection }), { code: 'source.server-unreachable' })
})

test('a server that stops in the middle of a dump is given up, and leaves no whole dump', { skip }, async () => {
  await using scene = await makeScene()
  await scene.createDatabase('shop')
  await scene.server.run(
    'create table t (id int primary key, v text); insert into t select seq, repeat(md5(seq), 30) from seq_1_to_20000',
    'shop',
  )
  const part = await scene.part('shop', { lockTimeoutSeconds: 2 })
  const { content } = part
  assert.ok(content.kind === 'stream')
  const stopping = async function* (signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let isStopped = false
    for await (const piece of content.open(signal)) {
      yield piece
      if (!isStopped) process.kill(scene.server.processId, 'SIGSTOP')
      isStopped = true
    }
  }
  await assert.rejects(readPart({ ...part, content: { ...content, open: stopping } }), {
    code: 'source.server-unreachable',
  })
  process.kill(scene.server.processId, 'SIGCONT')
})
