import assert from 'node:assert/strict'
import { chmod, chown, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { needs } from '../needs.ts'
import { damageEachPack, damageLargestPack } from './damage.ts'
import type { Ended, Place } from './place.ts'
import { backedUpShop, configuration, databaseFile, fillDatabase, productsIn, shopPlace } from './shop.ts'

let template: Place
before(async () => {
  template = await backedUpShop()
})
after(() => template[Symbol.asyncDispose]())

const restore = ['restore', '--project=shop', '--yes'] as const

function assertDone({ code, err }: Ended): void {
  assert.equal(code, 0, err)
}

describe('restoring in place', { concurrency: 2 }, () => {
  test('damage goes: bytes, modes, owners, times in nanoseconds, settings and keys; what is not in the backup stays', async () => {
    await using place = await template.copy()
    const before = await place.content('state', 'hot', 'archive', 'tmp')
    await writeFile(place.at('shop/shop.js'), 'overwritten\n')
    await chmod(place.at('shop/package.json'), 0o666)
    if (process.getuid?.() === 0) await chown(place.at('shop/uploads/logo.png'), 1234, 1234)
    for (const name of ['.env', 'certificates', 'uploads/2026']) await rm(place.at('shop', name), { recursive: true })
    await place.write('shop/uploads/stray.txt', 'made after the backup')
    assertDone(await place.bewaar(...restore))
    const after = await place.content('state', 'hot', 'archive', 'tmp')
    assert.deepEqual(
      after.filter((line) => !line.startsWith('shop/uploads/stray.txt')),
      before,
    )
    assert.equal(await readFile(place.at('shop/uploads/stray.txt'), 'utf8'), 'made after the backup')
    assert.equal(await readFile(place.at('shop/shop.js'), 'utf8'), "console.log('open')\n")
    assert.equal(await readFile(place.at('shop/.env'), 'utf8'), 'SECRET=1\n')
  })

  test('a project whose folder is gone comes back whole', async () => {
    await using place = await template.copy()
    const before = await place.content('state', 'hot', 'archive', 'tmp')
    await rm(place.at('shop'), { recursive: true })
    assertDone(await place.bewaar(...restore))
    assert.deepEqual(await place.content('state', 'hot', 'archive', 'tmp'), before)
    assert.deepEqual(productsIn(place), ['hammer', 'nail'])
  })

  test('a write-ahead log of another state is not played into the restored database', async () => {
    await using place = await template.copy()
    fillDatabase(place, 'screw')
    await writeFile(place.at(`${databaseFile}-wal`), Buffer.alloc(50_000, 'not of this database'))
    assertDone(await place.bewaar(...restore))
    assert.deepEqual(productsIn(place), ['hammer', 'nail'])
  })

  test('what a database has beside it stays when the database is not restored', async () => {
    await using place = await template.copy()
    await place.write(`${databaseFile}-wal`, 'transactions that are in no file yet')
    await rm(place.at('shop/uploads/logo.png'))
    assertDone(await place.bewaar(...restore, '--path=uploads'))
    assert.equal(await readFile(place.at(`${databaseFile}-wal`), 'utf8'), 'transactions that are in no file yet')
    assertDone(await place.bewaar(...restore, '--only=config'))
    assert.equal(await readFile(place.at(`${databaseFile}-wal`), 'utf8'), 'transactions that are in no file yet')
    assertDone(await place.bewaar(...restore, '--only=database'))
    assert.deepEqual(
      (await readdir(place.at('shop/data'))).filter((name) => name.endsWith('-wal')),
      [],
    )
  })

  test('--only=config leaves the folders that are there as they are', async () => {
    await using place = await template.copy()
    await rm(place.at('shop/.env'))
    await writeFile(place.at('shop/certificates/payment.key'), 'another key\n')
    await chmod(place.at('shop/certificates'), 0o751)
    await chmod(place.at('shop'), 0o711)
    await writeFile(place.at('shop/shop.js'), 'changed, and not asked for\n')
    assertDone(await place.bewaar(...restore, '--only=config'))
    assert.equal(await readFile(place.at('shop/.env'), 'utf8'), 'SECRET=1\n')
    assert.equal(await readFile(place.at('shop/certificates/payment.key'), 'utf8'), 'a key\n')
    assert.equal(await readFile(place.at('shop/shop.js'), 'utf8'), 'changed, and not asked for\n')
    const modes = await Promise.all(
      ['shop', 'shop/certificates', 'shop/.env'].map(async (name) => (await stat(place.at(name))).mode & 0o7777),
    )
    assert.deepEqual(modes, [0o711, 0o751, 0o600])
  })

  test('--only=database brings the databases back, and nothing else', async () => {
    await using place = await template.copy()
    fillDatabase(place, 'screw')
    await writeFile(place.at('shop/data/clients.json'), '[]')
    await writeFile(place.at('shop/shop.js'), 'changed\n')
    assertDone(await place.bewaar(...restore, '--only=database'))
    assert.deepEqual(productsIn(place), ['hammer', 'nail'])
    assert.equal(await readFile(place.at('shop/data/clients.json'), 'utf8'), '[{ "id": 1 }]\n')
    assert.equal(await readFile(place.at('shop/shop.js'), 'utf8'), 'changed\n')
  })

  test('--path brings one file or folder back, by its name in the project or in the backup', async () => {
    await using place = await template.copy()
    for (const [path, name] of [
      ['uploads/logo.png', 'uploads/logo.png'],
      ['files/uploads/2026', 'uploads/2026/photo.jpg'],
      ['config/.env', '.env'],
      ['/shop.js', 'shop.js'],
    ] as const) {
      await rm(place.at('shop', name))
      await writeFile(place.at('shop/package.json'), 'changed')
      assertDone(await place.bewaar(...restore, `--path=${path}`))
      assert.ok(await stat(place.at('shop', name)))
      assert.equal(await readFile(place.at('shop/package.json'), 'utf8'), 'changed')
    }
  })

  test('what is about the backup itself has no place in the project', async () => {
    await using place = await template.copy()
    const { code, out, err } = await place.bewaar(...restore, '--path=manifest.json')
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /\(restore\.no-place\)\n$/)
  })

  test('without a yes the plan is shown and nothing is touched; --dry-run shows it as the result', async () => {
    await using place = await template.copy()
    await writeFile(place.at('shop/shop.js'), 'changed\n')
    const before = await place.content('state', 'hot', 'archive')
    const refused = await place.bewaar('restore', '--project=shop')
    assert.deepEqual([refused.code, refused.out], [2, ''])
    assert.match(refused.err, /overwrites .*\/shop\/shop\.js\n/)
    assert.match(refused.err, /\(cli\.not-confirmed\)\n$/)
    const dry = await place.bewaar('restore', '--project=shop', '--dry-run')
    assert.deepEqual([dry.code, dry.err], [0, ''])
    assert.match(dry.out, /overwrites .*\/shop\/shop\.js\n/)
    assert.deepEqual(await place.content('state', 'hot', 'archive'), before)
  })
})

describe('restoring as a test', () => {
  test('questions the backup in a sandbox, is in the test log, and writes nothing to the project', async () => {
    await using place = await template.copy()
    await writeFile(place.at('shop/shop.js'), 'changed\n')
    const before = await place.content('state', 'hot', 'archive', 'tmp')
    const { code, out, err } = await place.bewaar('restore', '--project=shop', '--test', '--vault=archive', '--json')
    assert.equal(code, 0, err)
    const { status, vault, files, questions } = JSON.parse(out) as Record<string, string | number>
    assert.deepEqual([status, vault, Number(files) > 5, Number(questions) > 0], ['passed', 'archive', true, true])
    assert.deepEqual(await place.content('state', 'hot', 'archive', 'tmp'), before)
    assert.match((await place.bewaar('logs', '--kind=test')).out, /passed/)
    const refused = await place.bewaar('restore', '--project=shop', '--test', '--only=files')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /--test restores all of a backup/)
  })
})

describe('restoring into a folder', { concurrency: 2 }, () => {
  test('with other files in it needs a yes, and leaves those that the backup does not hold', async () => {
    await using place = await template.copy()
    await place.write('out/files/shop.js', 'in the way\n')
    await place.write('out/files/other.txt', 'not in the way\n')
    const before = await place.content('state', 'hot', 'archive')
    const into = ['restore', '--project=shop', '--to=out']
    const refused = await place.bewaar(...into, '--json')
    assert.deepEqual([refused.code, refused.out], [2, ''])
    assert.equal((JSON.parse(refused.err) as { error: { code: string } }).error.code, 'cli.not-confirmed')
    assert.deepEqual(await place.content('state', 'hot', 'archive'), before)
    assertDone(await place.bewaar(...into, '--yes'))
    assert.equal(await readFile(place.at('out/files/shop.js'), 'utf8'), "console.log('open')\n")
    assert.equal(await readFile(place.at('out/files/other.txt'), 'utf8'), 'not in the way\n')
    assert.match((await place.bewaar(...into)).out, /is as in the backup/)
  })

  test('holds all parts, and the instructions to restore it by hand', async () => {
    await using place = await template.copy()
    assertDone(await place.bewaar('restore', '--project=shop', '--to=out'))
    assert.deepEqual((await readdir(place.at('out'))).toSorted(), ['RESTORE.md', 'config', 'files', 'manifest.json'])
    assert.deepEqual(productsIn(place, 'out/files/data/shop.sqlite'), ['hammer', 'nail'])
    assert.match(await readFile(place.at('out/RESTORE.md'), 'utf8'), /restic/)
  })
})

describe('which backup is restored', { concurrency: 2 }, () => {
  test('the newest, or the one of an id, of a day, of a vault', async () => {
    await using place = await template.copy()
    await writeFile(place.at('shop/shop.js'), 'the second\n')
    assertDone(await place.bewaar('run'))
    const { out } = await place.bewaar('list', '--vault=hot', '--json')
    const [second, first] = JSON.parse(out) as { snapshot: string; time: string }[]
    const today = second!.time.slice(0, 10)
    const restored = async (...which: string[]): Promise<string> => {
      const to = `restored${which.join('')}`
      assertDone(await place.bewaar('restore', '--project=shop', `--to=${to}`, '--path=shop.js', ...which))
      return await readFile(place.at(to, 'files/shop.js'), 'utf8')
    }
    const old = "console.log('open')\n"
    assert.equal(await restored(), 'the second\n')
    assert.equal(await restored('--latest'), 'the second\n')
    assert.equal(await restored(`--snapshot=${first!.snapshot.slice(0, 12)}`), old)
    assert.equal(await restored(`--snapshot=${first!.snapshot}`), old)
    assert.equal(await restored('--vault=archive'), old)
    assert.equal(await restored('--date=2099-12-31'), 'the second\n')
    assert.equal((await place.bewaar('restore', '--project=shop', '--to=x', '--date=2020-01-01')).code, 1)
    assert.match(today, /^\d{4}-\d\d-\d\d$/)
  })

  test('a damaged vault is refused before anything is overwritten, and the other vault can be used', async () => {
    await using place = await template.copy()
    await damageEachPack(place.at('hot/shop/data'))
    await writeFile(place.at('shop/shop.js'), 'overwritten\n')
    const before = await place.content('state', 'hot', 'archive', 'tmp')
    const refused = await place.bewaar(...restore)
    assert.deepEqual([refused.code, refused.out], [4, ''])
    assert.match(refused.err, /\((restore|repository|crypto|backend|format)\.[a-z-]+\)\n$/)
    assert.deepEqual(await place.content('state', 'hot', 'archive', 'tmp'), before)
    assertDone(await place.bewaar(...restore, '--vault=archive'))
    assert.equal(await readFile(place.at('shop/shop.js'), 'utf8'), "console.log('open')\n")
  })

  test('damage in one pack of data is found before anything is overwritten', async () => {
    await using place = await template.copy()
    await damageLargestPack(place.at('hot/shop/data'))
    await writeFile(place.at('shop/shop.js'), 'overwritten\n')
    await rm(place.at('shop/uploads'), { recursive: true })
    const before = await place.content('state', 'hot', 'archive', 'tmp')
    const refused = await place.bewaar(...restore)
    assert.deepEqual([refused.code, refused.out], [4, ''])
    assert.match(refused.err, /\(restore\.damaged\)\n$/)
    assert.deepEqual(await place.content('state', 'hot', 'archive', 'tmp'), before)
  })
})

describe('what was there before a restore', { concurrency: 2 }, () => {
  const leavingOut = configuration.replace('schedule: daily', 'leave-out: [uploads, "*.js"]\n    schedule: daily')

  test('goes back with --undo also where the configuration leaves it out of backups, and no later backup holds it', async () => {
    await using place = await template.copy()
    await writeFile(place.at('bewaar.yaml'), leavingOut)
    await writeFile(place.at('shop/uploads/logo.png'), 'replaced')
    await chmod(place.at('shop/uploads/2026/photo.jpg'), 0o640)
    await writeFile(place.at('shop/shop.js'), 'changed\n')
    await rm(place.at('shop/package.json'))
    await place.write('shop/uploads/2026/stray.jpg', 'of no backup')
    const leaveOut = ['state', 'hot', 'archive', 'tmp']
    const before = await place.content(...leaveOut)
    assertDone(await place.bewaar(...restore))
    assert.equal(await readFile(place.at('shop/uploads/logo.png'), 'utf8'), 'not really a picture')
    assertDone(await place.bewaar('restore', '--project=shop', '--undo', '--yes'))
    assert.deepEqual(await place.content(...leaveOut), before)
    assert.equal(await readFile(place.at('shop/uploads/logo.png'), 'utf8'), 'replaced')
    assertDone(await place.bewaar('run'))
    assertDone(await place.bewaar('restore', '--project=shop', '--to=out'))
    const held = (await readdir(place.at('out/files'), { recursive: true })).toSorted()
    assert.deepEqual(held, ['certificates', 'data', 'data/clients.json', 'data/shop.sqlite'])
  })

  test('goes back after a restore of some paths and parts, also what is no database any more', async () => {
    await using place = await template.copy()
    await writeFile(place.at('bewaar.yaml'), leavingOut)
    for (const name of [databaseFile, 'shop/uploads/logo.png']) await writeFile(place.at(name), 'broken')
    await writeFile(place.at('shop/.env'), 'SECRET=2\n')
    await rm(place.at('shop/uploads/2026'), { recursive: true })
    await writeFile(place.at('shop/uploads/2026'), 'a file where a folder was')
    const filesIn = async (): Promise<string[]> =>
      (await place.content('state', 'hot', 'archive', 'tmp')).filter((line) => !/^\S+ d /.test(line))
    const before = await filesIn()
    assertDone(await place.bewaar(...restore, '--only=database,config', '--path=uploads'))
    assert.deepEqual(productsIn(place), ['hammer', 'nail'])
    assert.ok(await stat(place.at('shop/uploads/2026/photo.jpg')))
    assertDone(await place.bewaar('restore', '--project=shop', '--undo', '--yes'))
    assert.deepEqual(await filesIn(), before)
  })

  test(
    'is no backup of the project to stock restic, which still restores the newest one',
    { skip: needs('restic') },
    async () => {
      await using place = await template.copy()
      const restic = async (...args: readonly string[]): Promise<string> => {
        const where = ['--no-cache', '--repo', place.at('hot/shop'), '--password-file', place.at('password')]
        const { code, out, err } = await place.run('restic', [...where, ...args]).ended
        assert.equal(code, 0, err)
        return out
      }
      await writeFile(place.at('shop/shop.js'), 'the newest backup\n')
      assertDone(await place.bewaar('run'))
      await writeFile(place.at('shop/shop.js'), 'damaged\n')
      assertDone(await place.bewaar(...restore))
      const snapshots = JSON.parse(await restic('snapshots', '--json')) as { id: string; tags: string[] }[]
      const safety = snapshots.filter(({ tags }) => tags.includes('safety'))
      assert.deepEqual([snapshots.length, safety.length], [3, 1])
      assert.ok(!safety[0]!.tags.some((tag) => /^(?:project|run):/.test(tag)), safety[0]!.tags.join())
      await restic('restore', 'latest', '--tag', 'project:shop', '--target', place.at('newest'))
      assert.equal(await readFile(place.at('newest/files/shop.js'), 'utf8'), 'the newest backup\n')
      assert.match(await restic('dump', '--tag', 'project:shop', 'latest', '/files/shop.js'), /^the newest backup\n$/)
      await restic('restore', safety[0]!.id, '--target', place.at('before'))
      assert.equal(await readFile(place.at('before/files/shop.js'), 'utf8'), 'damaged\n')
    },
  )
})

describe('a git history', { skip: needs('git'), concurrency: 2 }, () => {
  async function shopWithHistory(): Promise<Place> {
    const place = await shopPlace(configuration)
    const script = `git init --quiet --initial-branch=main && git add package.json shop.js &&
      git -c user.name=x -c user.email=x@example.org commit --quiet -m one && git tag v1 && git branch other`
    assertDone(await place.run('sh', ['-c', script], { cwd: place.at('shop') }).ended)
    for (const verb of ['init', 'run']) assertDone(await place.bewaar(verb))
    return place
  }
  const references = async (place: Place): Promise<string> =>
    (await place.run('git', ['for-each-ref'], { cwd: place.at('shop') }).ended).out

  test('is made anew when .git is gone, and the times of the folder are those of the backup', async () => {
    await using place = await shopWithHistory()
    const before = await references(place)
    const folder = await stat(place.at('shop'), { bigint: true })
    await rm(place.at('shop/.git'), { recursive: true })
    const plan = await place.bewaar('restore', '--project=shop', '--dry-run')
    assert.match(plan.out, /\.git/)
    assertDone(await place.bewaar(...restore))
    assert.equal(await references(place), before)
    assert.equal((await stat(place.at('shop'), { bigint: true })).mtimeNs, folder.mtimeNs)
  })

  test('is not touched when it is there, nor made when only a path is wanted', async () => {
    await using place = await shopWithHistory()
    const git = join('shop', '.git')
    const before = (await place.content()).filter((line) => line.startsWith(git))
    await writeFile(place.at('shop/shop.js'), 'changed\n')
    assertDone(await place.bewaar(...restore))
    assert.deepEqual(
      (await place.content()).filter((line) => line.startsWith(git)),
      before,
    )
    await rm(place.at(git), { recursive: true })
    assertDone(await place.bewaar(...restore, '--path=shop.js'))
    assert.deepEqual(
      (await place.content()).filter((line) => line.startsWith(git)),
      [],
    )
    assertDone(await place.bewaar(...restore, '--only=files'))
    assert.match(await references(place), /refs\/tags\/v1/)
  })
})
