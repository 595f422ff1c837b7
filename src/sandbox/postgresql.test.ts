import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'

import { isPostgresqlInstalled, startPostgresql } from './postgresql.ts'
import { isAlive, processesIn } from './processes.ts'

const skip = !isPostgresqlInstalled() && 'needs the package postgresql'

test('a throw-away server answers, survives being killed, and leaves nothing behind', { skip }, async () => {
  let folder: string
  let processId: number
  {
    await using server = await startPostgresql({ settings: { work_mem: '5MB' } })
    folder = server.socketFolder
    processId = server.processId
    assert.match(server.version, /^\d+\.\d+$/)
    assert.equal(await server.run('show work_mem'), '5MB')
    await server.run('create table t as select 7 as n; checkpoint')

    await server.kill()
    assert.ok(!isAlive(processId))
    await assert.rejects(server.run('select 1'))
    await server.restart()
    assert.equal(await server.run('select n from t'), '7')
    processId = server.processId
  }
  assert.ok(!isAlive(processId))
  assert.deepEqual(processesIn(folder), [])
  assert.ok(!existsSync(folder))
})

test('a server that cannot start says why, and leaves nothing behind', { skip }, async () => {
  await assert.rejects(startPostgresql({ settings: { work_mem: 'much' } }), {
    code: 'sandbox.unstartable',
    message: /work_mem/,
  })
})

test('SQL that fails is an error with the words of the server', { skip }, async () => {
  await using server = await startPostgresql()
  await assert.rejects(server.run('select 1; select no_such_column'), /no_such_column/)
})
