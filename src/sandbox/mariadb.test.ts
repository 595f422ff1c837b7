import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'

import { isMariadbInstalled, startMariadb } from './mariadb.ts'
import { isAlive, processesIn } from './processes.ts'

const skip = !isMariadbInstalled() && 'needs the package mariadb-server'

test('a throw-away server answers, survives being killed, and leaves nothing behind', { skip }, async () => {
  let folder: string
  let processId: number
  {
    await using server = await startMariadb({ settings: { 'sort-buffer-size': '1048576' } })
    folder = dirname(server.socket)
    processId = server.processId
    assert.match(server.version, /^\d+\.\d+\.\d+-MariaDB/)
    assert.equal(await server.run('select @@sort_buffer_size'), '1048576')
    // because a server removes the temporary tables of another one that is given the same folder
    assert.ok((await server.run('select @@tmpdir')).startsWith(folder))
    await server.run('create database shop; create table shop.t as select 7 as n')

    await server.kill()
    assert.ok(!isAlive(processId))
    await assert.rejects(server.run('select 1'))
    await server.restart()
    assert.equal(await server.run('select n from t', 'shop'), '7')
    processId = server.processId
  }
  assert.ok(!isAlive(processId))
  assert.deepEqual(processesIn(folder), [])
  assert.ok(!existsSync(folder))
})

test('a server that cannot start says why, and leaves nothing behind', { skip }, async () => {
  await assert.rejects(startMariadb({ settings: { 'no-such-setting': 'much' } }), {
    code: 'sandbox.unstartable',
    message: /no-such-setting/,
  })
})

test('SQL that fails is an error with the words of the server', { skip }, async () => {
  await using server = await startMariadb()
  await assert.rejects(server.run('select 1; select no_such_column'), /no_such_column/)
})
