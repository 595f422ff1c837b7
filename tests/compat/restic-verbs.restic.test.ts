/** What restic's verbs do to a vault of ours, and that Bewaar goes on with it after each of them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { Secret } from '#base'
import { stockRestic, type StockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { remove } from './battery.ts'
import { assertSameTree } from './compare.ts'
import { placeInMemory } from './place.ts'
import { programIn, type Program } from './program.ts'
import { getTree, noise } from './trees.ts'

const password = new Secret('first pässword')
const second = new Secret('second password')

interface ResticSnapshot {
  readonly id: string
  readonly time: string
  readonly tree: string
  readonly parent?: string
  readonly original?: string
  readonly paths: readonly string[]
  readonly hostname: string
  readonly username: string
  readonly tags: readonly string[]
}

interface ListedBackup {
  readonly snapshot: string
  readonly run: string | null
}

describe('a vault after the verbs of restic', { skip: needs('restic', 'rsync', 'setfattr') }, () => {
  let restic: StockRestic
  let program: Program
  let source: string
  let repository: string
  let count = 0

  const run = (...args: string[]): Promise<string> => restic.run('-r', repository, ...args)
  const snapshots = async (): Promise<ResticSnapshot[]> =>
    JSON.parse(await run('snapshots', '--json')) as ResticSnapshot[]

  /** Lists, verifies and restores; the newest backup must be the project as it is. @returns ids of the backups. */
  async function bewaarWorks(with_ = program): Promise<string[]> {
    const listed = (await with_.json(['list'])) as ListedBackup[]
    const { findings } = (await with_.json(['verify'])) as { findings: unknown[] }
    assert.deepEqual(findings, [])
    const target = join(restic.scratch, 'restored', String(++count))
    await with_.json(['restore', '--project=shop', '--latest', `--to=${target}`])
    assertSameTree(source, join(target, 'files'))
    remove(target)
    return listed.map(({ snapshot }) => snapshot).toSorted()
  }

  before(async () => {
    restic = await stockRestic(password, placeInMemory())
    source = join(restic.scratch, 'shop')
    mkdirSync(join(source, 'uploads'), { recursive: true })
    getTree('names that are not UTF-8').build(source)
    getTree('hard links in one folder').build(source)
    writeFileSync(join(source, 'uploads/large'), noise('large', 5_000_000))
    program = programIn(join(restic.scratch, 'bewaar'), { projects: { shop: source }, password })
    repository = program.repositoryOf('shop')
    await program.json(['init'])
    for (const text of ['first', 'second', 'third']) {
      writeFileSync(join(source, 'uploads/text'), text)
      writeFileSync(join(source, `uploads/only in the ${text}`), noise(text, 1_000_000))
      if (text !== 'first') remove(join(source, 'uploads/only in the first'))
      await program.json(['run'])
    }
  })
  after(() => remove(restic.scratch))

  test('snapshots: restic shows when, of what, where and by whom each was made', async () => {
    const listed = await snapshots()
    const backups = (await program.json(['list'])) as (ListedBackup & { readonly time: string })[]
    assert.equal(listed.length, 3)
    for (const [nth, { id, time, paths, hostname: host, username, tags, parent }] of listed.entries()) {
      const ours = backups.find(({ snapshot }) => snapshot === id)!
      assert.equal(Date.parse(time), Date.parse(ours.time))
      assert.deepEqual([paths, host, username], [[source], hostname(), userInfo().username])
      assert.deepEqual(tags, ['project:shop', `run:${ours.run}`])
      assert.equal(parent, listed[nth - 1]?.id)
    }
    assert.equal((JSON.parse(await run('snapshots', '--json', '--tag', 'project:shop')) as unknown[]).length, 3)
    assert.equal((JSON.parse(await run('snapshots', '--json', '--path', source)) as unknown[]).length, 3)
  })

  test('ls, find, dump, cat, diff and stats read it', async () => {
    const names = (await run('ls', '--recursive', 'latest')).split('\n')
    assert.ok(['/RESTORE.md', '/manifest.json', '/files/uploads/large'].every((name) => names.includes(name)))
    assert.match(await run('find', 'only in the second'), /\/files\/uploads\/only in the second/)
    assert.equal(await run('dump', 'latest', '/files/uploads/text'), 'third')
    const manifest = JSON.parse(await run('dump', 'latest', '/manifest.json')) as { project: string }
    assert.equal(manifest.project, 'shop')
    const [oldest, , newest] = (await snapshots()).map(({ id }) => id)
    assert.match(await run('diff', oldest!, newest!), /-\s+\/files\/uploads\/only in the first/)
    const stats = JSON.parse(await run('stats', '--json', newest!)) as { total_size: number }
    assert.ok(stats.total_size > 7_000_000)
    assert.match(await run('stats', '--mode', 'raw-data'), /Total Size/)
    assert.equal((JSON.parse(await run('cat', 'config')) as { version: number }).version, 2)
  })

  test('tag: the backup keeps its place under its next id', async () => {
    const earlier = await snapshots()
    await run('tag', '--add', 'important', earlier[2]!.id)
    const later = await snapshots()
    assert.equal(later[2]!.original, earlier[2]!.id)
    assert.deepEqual(await bewaarWorks(), later.map(({ id }) => id).toSorted())
  })

  test('forget and prune: what is kept is whole', async () => {
    const [oldest, ...kept] = (await snapshots()).map(({ id }) => id)
    await run('forget', oldest!, '--prune', '--max-unused', '0')
    assert.deepEqual(await bewaarWorks(), kept.toSorted())
    assert.match(await run('check', '--read-data'), /no errors were found/)
  })

  test('rebuild-index: every blob is found where it lies', async () => {
    await run('rebuild-index', '--read-all-packs')
    await bewaarWorks()
  })

  test('backup: what restic adds does not come between our backups', async () => {
    await run('backup', source)
    assert.equal((await bewaarWorks()).length, 3)
    appendFileSync(join(source, 'uploads/text'), ' and more')
    await program.json(['run'])
    const [latest] = (await snapshots()).toReversed()
    assert.equal(latest!.tags[0], 'project:shop')
    assert.match(await run('check', '--read-data'), /no errors were found/)
  })

  test('unlock: takes away what a killed restic left, and nothing else needs it', async () => {
    const env = { ...process.env, RESTIC_PASSWORD: password.reveal(), RESTIC_CACHE_DIR: join(restic.scratch, 'cache') }
    const child = spawn('restic', ['-r', repository, 'backup', '--stdin'], { env, stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise((resolve) => child.on('close', resolve))
    // without what restic has begun to write under another name
    const locks = (): string[] => readdirSync(join(repository, 'locks')).filter((name) => /^[0-9a-f]{64}$/.test(name))
    for (let tries = 0; locks().length === 0 && tries < 200; tries++) await pause(50)
    child.kill('SIGKILL')
    await ended
    assert.equal(locks().length, 1)
    const listed = (await program.json(['list'])) as ListedBackup[]
    assert.ok(listed.length > 0)
    await program.json(['run'])
    await run('unlock')
    assert.deepEqual(locks(), [])
    await bewaarWorks()
  })

  test('copy: the second repository is a vault like the first', async () => {
    const other = join(restic.scratch, 'other')
    const passwordFile = join(restic.scratch, 'password')
    writeFileSync(passwordFile, password.reveal())
    mkdirSync(join(other, 'vault'), { recursive: true })
    const target = join(other, 'vault', 'shop')
    const from = ['--from-repo', repository, '--from-password-file', passwordFile]
    await restic.run('-r', target, 'init', ...from, '--copy-chunker-params')
    await restic.run('-r', target, 'copy', ...from)

    const elsewhere = programIn(other, { projects: { shop: source }, password })
    await elsewhere.json(['init'])
    assert.equal((await bewaarWorks(elsewhere)).length, (await snapshots()).length)
    await elsewhere.json(['run'])
    assert.match(await restic.run('-r', target, 'check', '--read-data'), /no errors were found/)
  })

  test('key: either password opens the vault, until one is taken away', async () => {
    const withSecond = programIn(join(restic.scratch, 'second'), { projects: { shop: source }, password: second })
    cpSync(join(restic.scratch, 'bewaar/vault'), join(restic.scratch, 'second/vault'), { recursive: true })
    repository = withSecond.repositoryOf('shop')
    const [firstKey] = readdirSync(join(repository, 'keys'))
    writeFileSync(join(restic.scratch, 'second password'), second.reveal())
    await run('key', 'add', '--new-password-file', join(restic.scratch, 'second password'))
    await withSecond.json(['init'])
    await restic.as(second, '-r', repository, 'key', 'remove', firstKey!)
    await bewaarWorks(withSecond)
    const withFirst = programIn(join(restic.scratch, 'second'), { projects: { shop: source }, password })
    assert.equal((await withFirst.run('verify')).code, 12)
  })
})
