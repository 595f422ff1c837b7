import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import { needs } from '../needs.ts'
import type { Ended, Place } from './place.ts'
import { backedUpShop, configuration } from './shop.ts'

let template: Place
before(async () => {
  template = await backedUpShop()
})
after(() => template[Symbol.asyncDispose]())

function assertDone({ code, err }: Ended): void {
  assert.equal(code, 0, err)
}

/** Each backup as its vault, id, time, size and run. */
async function backupsIn(place: Place): Promise<unknown[]> {
  const { code, out, err } = await place.bewaar('list', '--json')
  assert.equal(code, 0, err)
  const backups = JSON.parse(out) as { vault: string; snapshot: string; time: string; bytes: number; run: string }[]
  return backups.map(({ vault, snapshot, time, bytes, run }) => [vault, snapshot, time, bytes, run])
}

describe('nothing depends on the catalog', { concurrency: 2 }, () => {
  test('when it is gone, list asks the vaults and knows all backups again', async () => {
    await using place = await template.copy()
    const before = await backupsIn(place)
    assert.equal(before.length, 2)
    await rm(place.at('state'), { recursive: true })
    assert.deepEqual(await backupsIn(place), before)
  })

  test('when it is gone, init enters what the vaults hold', async () => {
    await using place = await template.copy()
    await rm(place.at('state'), { recursive: true })
    const { out } = await place.bewaar('init')
    assert.match(out, /^shop +hot +was there +1 /m)
    assert.match(out, /^shop +archive +was there +1 /m)
    assert.equal((await backupsIn(place)).length, 2)
  })

  test('a damaged one is kept aside with a warning, and everything works on', async () => {
    await using place = await template.copy()
    await writeFile(place.at('state/catalog.sqlite'), 'no database at all'.repeat(1000))
    const restored = await place.bewaar('restore', '--project=shop', '--to=out')
    assertDone(restored)
    assert.match(
      restored.err,
      /^The catalog .*catalog\.sqlite is damaged: .* It was kept as .*, and a new catalog begins/,
    )
    const kept = (await readdir(place.at('state'))).filter((name) => name.startsWith('catalog.damaged'))
    assert.equal(kept.length, 1)
    assert.equal((await backupsIn(place)).length, 2)
    assertDone(await place.bewaar('run'))
  })

  test('one from a newer version stops a run and no restore, and is not touched', async () => {
    await using place = await template.copy()
    const script = `const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      new DatabaseSync('state/catalog.sqlite').exec('PRAGMA user_version = 9999')`
    assertDone(await place.run(process.execPath, ['--eval', script]).ended)
    const run = await place.bewaar('run')
    if (run.code !== 0) assert.match(run.err, /\(catalog\.newer\)\n$/)
    assertDone(await place.bewaar('restore', '--project=shop', '--to=out'))
  })

  test('a state folder that cannot be one does not stop a restore', async () => {
    await using place = await template.copy()
    await rm(place.at('state'), { recursive: true })
    await place.write('state', 'a file where the folder should be')
    const restored = await place.bewaar('restore', '--project=shop', '--to=out')
    assertDone(restored)
    assert.match(restored.err, /The restore goes on without it/)
    assert.deepEqual(await readdir(place.at('tmp')), [])
    const run = await place.bewaar('run')
    assert.deepEqual([run.code, run.out], [1, ''])
    assert.match(run.err, /\(catalog\.unavailable\)\n$/)
  })

  test('a state folder that may not be written to does not stop a restore', { skip: needs('root') }, async (t) => {
    await using place = await template.copy()
    assertDone(await place.run('chown', ['--recursive', '65534:65534', place.path]).ended)
    await chmod(place.at('state'), 0o500)
    await chmod(place.at('state/catalog.sqlite'), 0o400)
    const asNobody = (...args: string[]): Promise<Ended> => place.start(args, { uid: 65_534, gid: 65_534 }).ended
    if ((await asNobody('--version').catch(() => undefined))?.code !== 0) {
      t.skip('needs a clone that other users can read')
      return
    }
    const restored = await asNobody('restore', '--project=shop', '--to=out')
    assertDone(restored)
    await mkdir(place.at('bare'))
    await chmod(place.at('bare'), 0o500)
    await place.write('bewaar.yaml', configuration.replace('./hot', './bare/hot').replace('./state', './state2'))
    const refused = await asNobody('init')
    assert.equal(refused.code, 1)
    assert.match(refused.out, /^shop +hot +failed .*\nshop +archive +was there +1 /m)
    assert.match(refused.out, /\/bare\/hot.*\n.*\n +\(backend\.denied\)\n$/)
    assert.deepEqual(await readdir(place.at('bare')), [])
  })
})
