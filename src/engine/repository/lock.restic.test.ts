import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { pause, Secret } from '#base'
import { cheapKey, stockRestic, type StockRestic } from '../testing.ts'
import { needs } from '../../../tests/needs.ts'
import { createLocal } from '../backend/local/local.ts'
import { createRepository, type Repository } from './repository.ts'

const skip = needs('restic')
const password = new Secret('password of a test')

async function begin(restic: StockRestic): Promise<Repository> {
  const backend = await createLocal(restic.repository)
  await mkdir(join(restic.scratch, 'source'))
  await writeFile(join(restic.scratch, 'source', 'file'), 'content')
  return await createRepository(backend, { password, cost: cheapKey, lockTimings: { settleMs: 10 } })
}

test('beside our shared lock restic backs up, and neither checks nor prunes', { skip }, async () => {
  await using restic = await stockRestic(password)
  await using repository = await begin(restic)
  {
    await using _ = await repository.lock('shared')
    await restic.run('backup', join(restic.scratch, 'source'))
    for (const command of ['check', 'prune']) {
      await assert.rejects(restic.run(command), /already locked by PID/, command)
    }
  }
  await restic.run('prune')
  await restic.run('check')
})

test('beside our exclusive lock restic does nothing', { skip }, async () => {
  await using restic = await stockRestic(password)
  await using repository = await begin(restic)
  await using _ = await repository.lock('exclusive')
  await assert.rejects(restic.run('backup', join(restic.scratch, 'source')), /already locked exclusively by PID/)
})

test('restic unlock, which sends us SIGHUP, neither ends us nor removes a lock that is in use', { skip }, async () => {
  await using restic = await stockRestic(password)
  await using repository = await begin(restic)
  await using lock = await repository.lock('shared')
  await restic.run('unlock')
  await lock.confirm()
  assert.deepEqual(await readdir(join(restic.repository, 'locks')), [lock.id])
  assert.equal(lock.signal.aborted, false)
  await restic.run('unlock', '--remove-all')
  await assert.rejects(lock.confirm(), { code: 'repository.lock-lost' })
})

test(
  'a lock of restic that works keeps us out, and one that it left when it was killed does not',
  { skip },
  async () => {
    await using restic = await stockRestic(password)
    await using repository = await begin(restic)
    const locks = join(restic.repository, 'locks')
    const env = {
      ...process.env,
      RESTIC_REPOSITORY: restic.repository,
      RESTIC_PASSWORD: password.reveal(),
      RESTIC_CACHE_DIR: join(restic.scratch, 'cache'),
    }
    // a backup of standard input works, and holds its lock, until its input ends
    const working = spawn('restic', ['backup', '--stdin'], { env, stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise((resolve) => working.on('close', resolve))
    try {
      while ((await readdir(locks)).length === 0) await pause(10)
      await assert.rejects(repository.lock('exclusive'), (thrown: Error) => {
        assert.match(thrown.message, new RegExp(`process ${working.pid} of .* holds a shared lock`))
        return true
      })
      {
        await using _ = await repository.lock('shared')
      }
      assert.equal((await readdir(locks)).length, 1)
    } finally {
      working.kill('SIGKILL')
      await ended
    }
    assert.equal((await readdir(locks)).length, 1)
    await using lock = await repository.lock('exclusive')
    assert.deepEqual(await readdir(locks), [lock.id])
  },
)
