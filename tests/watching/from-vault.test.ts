import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'

import { Secret } from '#base'
import { openLocal, openRepository, repositoriesInSftp, type Snapshot } from '#engine'
import { needs } from '../needs.ts'
import { emptyPlace, type Place } from '../e2e/place.ts'
import { backedUpShop } from '../e2e/shop.ts'
import { makeHomeFolder, socketFolder } from '../offsite/sftp-place.ts'
import { startSshd } from '../remote/sshd.ts'

const hourMs = 60 * 60 * 1000
const nobody = 65_534

interface Answer {
  readonly project: string
  readonly verdict: string
  readonly vaults: readonly {
    readonly vault: string
    readonly verdict: string
    readonly newest: string | null
    readonly backups: number
    readonly reasons: readonly { readonly text: string }[]
  }[]
}

suite('how fresh backups are, by the vaults alone', () => {
  let place: Place
  /** Another machine: it has nothing but the password. */
  let watcher: Place
  before(async () => {
    place = await backedUpShop()
    watcher = await emptyPlace()
    await watcher.write('password', 'the password of the vaults\n', 0o600)
  })
  after(async () => {
    await place?.[Symbol.asyncDispose]()
    await watcher?.[Symbol.asyncDispose]()
  })

  async function ask(
    from: Place,
    ...args: readonly string[]
  ): Promise<{ code: number; answers: Answer[]; err: string }> {
    const { code, out, err } = await from.bewaar('health', ...args, '--json')
    return { code, answers: out === '' ? [] : (JSON.parse(out) as Answer[]), err }
  }

  const asWatcher = (...args: readonly string[]) =>
    ask(watcher, `--location=${place.at('hot')}`, '--password-file=password', ...args)

  /** Puts a snapshot like the newest into a vault, made at another time. */
  async function forge(vault: string, time: number, change: Partial<Snapshot> = {}): Promise<string> {
    await using backend = await openLocal(place.at(vault, 'shop'))
    await using repository = await openRepository(backend, { password: new Secret('the password of the vaults') })
    const { snapshot } = await repository.findSnapshot('latest')
    return await repository.saveSnapshot({ ...snapshot, time: new Date(time).toISOString(), ...change })
  }

  async function forget(vault: string, ...ids: readonly string[]): Promise<void> {
    await using backend = await openLocal(place.at(vault, 'shop'))
    await using repository = await openRepository(backend, { password: new Secret('the password of the vaults') })
    for (const id of ids) await repository.removeSnapshot(id)
  }

  test('a second machine needs the location and the password, and writes nothing there', async () => {
    const before = await place.content()
    const { code, answers } = await asWatcher()
    assert.equal(code, 0)
    assert.deepEqual(
      answers.map(({ project, verdict, vaults }) => [project, verdict, vaults[0]?.vault, vaults[0]?.backups]),
      [['shop', 'healthy', place.at('hot'), 1]],
    )
    assert.ok(Date.now() - Date.parse(answers[0]!.vaults[0]!.newest!) < hourMs)
    assert.deepEqual(await place.content(), before)
    const named = await asWatcher('--project=shop', '--project=blog')
    assert.deepEqual([named.code, ...named.answers.map(({ verdict }) => verdict)], [1, 'healthy', 'unreachable'])
  })

  test('the machine that backs up asks all vaults of its configuration, or one', async () => {
    const all = await ask(place, '--from-vault')
    assert.deepEqual(
      [all.code, ...all.answers[0]!.vaults.map(({ vault, verdict }) => `${vault} ${verdict}`)],
      [0, 'hot healthy', 'archive healthy'],
    )
    const one = await ask(place, '--from-vault', '--vault=archive')
    assert.deepEqual(
      one.answers[0]!.vaults.map(({ vault }) => vault),
      ['archive'],
    )
    const { out } = await place.bewaar('health', '--from-vault')
    assert.match(out, /^PROJECT {2}HEALTH {3}NEWEST BACKUP {5}BACKUPS {2}VAULT\nshop {5}healthy {2}20/)
  })

  test('it is late when nothing new lies there, whatever the catalog says', async () => {
    await using other = await place.copy()
    await using backend = await openLocal(other.at('hot/shop'))
    await using repository = await openRepository(backend, { password: new Secret('the password of the vaults') })
    const { id, snapshot } = await repository.findSnapshot('latest')
    await repository.saveSnapshot({ ...snapshot, time: new Date(Date.now() - 26 * hourMs).toISOString() })
    await repository.removeSnapshot(id)
    const { code, answers } = await ask(other, '--from-vault', '--vault=hot')
    assert.deepEqual(
      [code, answers[0]?.vaults[0]?.reasons[0]?.text],
      [1, 'its newest backup is 26 hours old, and may be 25 hours'],
    )
    assert.equal((await ask(other, '--from-vault', '--vault=hot', '--max-age=2 days')).code, 0)
  })

  test('a forged backup of the future makes nothing fresh', async () => {
    const old = await forge('archive', Date.now() - 300 * hourMs)
    const own = await forge('archive', Date.now() + 48 * hourMs)
    const { code, answers } = await ask(place, '--from-vault', '--vault=archive', '--max-age=1 hour')
    const [archive] = answers[0]!.vaults
    assert.deepEqual([code, archive?.verdict, archive?.backups], [1, 'clock', 3])
    assert.match(archive!.reasons[0]!.text, /^1 of its backups say that they are of the future/)
    assert.ok(Date.parse(archive!.newest!) <= Date.now())
    await forget('archive', old, own)
  })

  test('what somebody else put there is no backup of the project', async () => {
    const other = await forge('hot', Date.now() - hourMs, { tags: ['something else'] })
    const { answers } = await asWatcher()
    assert.equal(answers[0]?.vaults[0]?.backups, 1)
    await forget('hot', other)
  })

  test('a vault that cannot be asked is said to be so, and keeps no other from being asked', async () => {
    await rename(place.at('archive'), place.at('away'))
    const { code, answers } = await ask(place, '--from-vault')
    assert.deepEqual([code, ...answers[0]!.vaults.map(({ verdict }) => verdict)], [1, 'healthy', 'unreachable'])
    assert.match(answers[0]!.vaults[1]!.reasons[0]!.text, /^it cannot be asked: There is no repository in /)
    await rename(place.at('away'), place.at('archive'))
    await watcher.write('wrong', 'another password\n', 0o600)
    const wrong = await ask(watcher, `--location=${place.at('hot')}`, '--password-file=wrong')
    assert.deepEqual([wrong.code, wrong.answers[0]?.verdict], [1, 'unreachable'])
  })

  test('what is asked wrongly is refused', async () => {
    const codeOf = async (...args: readonly string[]): Promise<string> => {
      const { code, err } = await ask(watcher, ...args)
      return `${code} ${(JSON.parse(err) as { error: { code: string } }).error.code}`
    }
    const here = `--location=${watcher.path}`
    assert.equal(await codeOf(here, '--password-file=password'), '1 watch.nothing-there')
    assert.equal(await codeOf(here), '2 cli.usage')
    assert.equal(await codeOf('--from-vault', '--max-age=soon'), '2 cli.usage')
    const rest = '--location=rest:https://127.0.0.1:1/'
    assert.equal(await codeOf(rest, '--password-file=password'), '2 watch.no-list')
  })

  test('who may only read can ask', { skip: needs('root') }, async () => {
    for (const args of [
      ['chmod', 'a+x', place.path, watcher.path],
      ['chmod', '-R', 'a+rX', place.at('hot')],
      ['chown', '-R', `${nobody}:${nobody}`, watcher.path],
    ] as const) {
      assert.equal((await place.run(args[0], args.slice(1)).ended).code, 0, args.join(' '))
    }
    const before = await place.content()
    const args = ['health', `--location=${place.at('hot')}`, '--password-file=password']
    const { code, out, err } = await watcher.start(args, { uid: nobody, gid: nobody }).ended
    assert.equal(code, 0, out + err)
    assert.deepEqual(await place.content(), before)
  })
})

test('a server of SFTP tells which repositories it has', { skip: needs('root', 'sshd', 'ssh') }, async () => {
  await using sshd = await startSshd()
  using sockets = socketFolder()
  const path = makeHomeFolder(sshd, 'backups')
  await using place = await emptyPlace()
  const made = ['mkdir', '-p', `${path}/shop/keys`, `${path}/blog`, `${path}/empty`]
  assert.equal((await place.run(made[0]!, made.slice(1)).ended).code, 0)
  assert.equal((await place.run('touch', [`${path}/shop/config`, `${path}/blog/config`, `${path}/file`]).ended).code, 0)
  const found = await repositoriesInSftp({ target: sshd.target, path, folder: sockets.path })
  assert.deepEqual(found.toSorted(), ['blog', 'shop'])
  const missing = repositoriesInSftp({ target: sshd.target, path: `${path}/none`, folder: sockets.path })
  await assert.rejects(missing, { code: 'backend.place-missing' })
})
