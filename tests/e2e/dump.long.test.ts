import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import { needs } from '../needs.ts'
import type { Ended, Place } from './place.ts'
import { backedUpShop, productsIn } from './shop.ts'

let place: Place
before(async () => {
  place = await backedUpShop()
})
after(() => place[Symbol.asyncDispose]())

const dump = (...args: string[]): Promise<Ended> => place.bewaar('dump', '--project=shop', ...args)

/** Bytes, which are no text: by a shell, into a file. */
async function dumpInto(file: string, ...args: string[]): Promise<void> {
  const line = `exec "$0" bin "$@" > ${file}`.replace('bin', '"$LAUNCHER"')
  const { launcher } = await import('./place.ts')
  const env = { LAUNCHER: launcher }
  const { code, err } = await place.run('sh', ['-c', line, process.execPath, 'dump', '--project=shop', ...args], {
    env,
  }).ended
  assert.equal(code, 0, err)
}

describe('one file of a backup goes to standard output', { concurrency: 2 }, () => {
  test('byte for byte, by its path in the snapshot or in the project', async () => {
    const photo = await readFile(place.at('shop/uploads/2026/photo.jpg'))
    for (const path of ['files/uploads/2026/photo.jpg', 'uploads/2026/photo.jpg']) {
      await dumpInto('photo.jpg', path)
      assert.ok((await readFile(place.at('photo.jpg'))).equals(photo), path)
    }
    const { out } = await dump('config/.env', '--quiet')
    assert.equal(out, 'SECRET=1\n')
  })

  test('a SQLite database by its name, compared with the manifest', async () => {
    await dumpInto('copy.sqlite', '--database=shop')
    assert.deepEqual(productsIn(place, 'copy.sqlite'), ['hammer', 'nail'])
  })

  test('what is not there, or cannot be meant, is said', async () => {
    const wrong: readonly (readonly [args: string[], code: number, message: RegExp])[] = [
      [['nothing'], 1, /holds no file files\/nothing/],
      [['uploads'], 1, /holds no file files\/uploads/],
      [['--database=other'], 1, /holds no database other[^]*files\/data\/shop\.sqlite/],
      [['--database=shop', '--table=product'], 2, /Tables cannot be taken out of files\/data\/shop\.sqlite/],
      [[], 2, /holds 2 databases, and none was named/],
      [['a', 'b'], 2, /one file at a time/],
      [['a', '--table=b'], 2, /exclude each other/],
      [['uploads/logo.png', '--json'], 2, /no JSON document/],
      [['uploads/logo.png', '--date=2001-01-01'], 1, /2001-01-01/],
    ]
    for (const [args, code, message] of wrong) {
      const ended = await dump(...args)
      assert.deepEqual([ended.code, ended.out], [code, ''], args.join(' '))
      assert.match(ended.err, message)
    }
  })

  test('a dump that is not what the manifest says is damage', { skip: needs('restic') }, async () => {
    await using other = await place.copy()
    const restored = await other.bewaar('restore', '--project=shop', '--to=taken', '--yes')
    assert.equal(restored.code, 0, restored.err)
    await writeFile(other.at('taken/files/data/clients.json'), '[{ "id": 2 }]\n')
    const env = { RESTIC_REPOSITORY: other.at('hot/shop'), RESTIC_PASSWORD_FILE: other.at('password') }
    const backup = await other.run('restic', ['backup', '--quiet', '--json', '.'], { cwd: other.at('taken'), env })
      .ended
    assert.equal(backup.code, 0, backup.err)
    const listed = await other.run('restic', ['snapshots', '--json', 'latest'], { env }).ended
    const id = (JSON.parse(listed.out) as { id: string }[]).at(-1)!.id
    const ended = await other.bewaar('dump', '--project=shop', `--snapshot=${id}`, 'data/clients.json')
    assert.equal(ended.code, 4)
    assert.match(ended.err, /does not have the SHA-256 that the manifest says/)
  })
})
