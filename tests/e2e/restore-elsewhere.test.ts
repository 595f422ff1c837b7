import assert from 'node:assert/strict'
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'

import { composeServices } from '#app'
import { commandTable, runCommandLine, type Terminal } from '#cli'
import { needs } from '../needs.ts'
import { run as runNow, startSshd } from '../remote/sshd.ts'
import { emptyPlace, type Ended } from './place.ts'

/** A project on another server, and who may write there. */
async function scene() {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await emptyPlace())
  const sshd = stack.use(await startSshd())
  const path = join(sshd.home, 'shop')
  for (const folder of ['uploads/2026', 'empty', 'data']) mkdirSync(join(path, folder), { recursive: true })
  writeFileSync(join(path, 'shop.js'), 'one\n')
  writeFileSync(join(path, '.env'), 'SECRET=1\n', { mode: 0o640 })
  writeFileSync(join(path, 'uploads/2026/photo.jpg'), Buffer.alloc(3_000_000, 'photo'))
  linkSync(join(path, 'uploads/2026/photo.jpg'), join(path, 'uploads/same.jpg'))
  symlinkSync('uploads/2026', join(path, 'newest'))
  for (const name of ['with space\nand line', `-n 'quoted' "$(id)"`]) writeFileSync(join(path, 'uploads', name), name)
  writeFileSync(Buffer.concat([Buffer.from(`${path}/uploads/`), Buffer.from([0xff, 0xe9])]), 'no UTF-8')
  using database = new DatabaseSync(join(path, 'data/shop.sqlite'))
  database.exec("create table product (name text); insert into product values ('hammer')")
  chmodSync(join(path, 'empty'), 0o2770)
  chmodSync(join(path, 'uploads'), 0o751)
  const { identity, knownHosts, port } = sshd.target
  await place.write('password', 'secret of the vault', 0o600)
  await place.write(
    'bewaar.yaml',
    `state: ./state
vaults: { hot: { location: ./hot, password: { file: ./password } } }
projects:
  shop:
    type: generic
    path: ${path}
    on: ssh://${sshd.user.name}@127.0.0.1:${port}
    identity: { file: ${identity} }
    known-hosts: ${knownHosts}
    schedule: daily 03:00
    restore: { after: [[test, -e, ../ready]] }
`,
  )
  const own = (): void => void runNow('chown', ['-R', `${sshd.user.uid}:${sshd.user.gid}`, sshd.home])
  own()
  const kept = stack.move()
  return { place, sshd, path, own, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

describe('restoring in place on another server', { skip: needs('sshd', 'ssh', 'root'), concurrency: 1 }, () => {
  let it: Awaited<ReturnType<typeof scene>>
  let whole: string[]
  before(async () => {
    it = await scene()
    for (const verb of ['init', 'run']) await succeed(verb)
    whole = content()
  })
  after(() => it[Symbol.asyncDispose]())

  /** In this process, because starting another for each command takes longer than the command. */
  async function bewaar(...args: readonly string[]): Promise<Ended> {
    const texts = { out: '', err: '' }
    const terminal: Terminal = {
      out: async (text) => void (texts.out += text),
      outBytes: async () => {},
      err: (text) => void (texts.err += text),
      outColumns: undefined,
      errColumns: undefined,
      ask: async () => undefined,
    }
    const setup = { entries: commandTable, terminal, version: '0.0.0', services: composeServices }
    const line = [...args, `--config=${it.place.at('bewaar.yaml')}`]
    const code = await runCommandLine(line, setup, new AbortController().signal)
    return { code, ...texts }
  }

  async function succeed(...args: string[]): Promise<Ended> {
    const end = await bewaar(...args)
    assert.equal(end.code, 0, end.err + end.out)
    return end
  }

  /** Names, types, modes, owners, times and bytes of all that is there. */
  function content(): string[] {
    const listed = runNow('find', [it.path, '-printf', '%P %y %m %U:%G %T@ %n %l\\0'])
    const sums = runNow('find', [it.path, '-type', 'f', '-exec', 'sha256sum', '--zero', '{}', '+'])
    return [...listed.split('\0'), ...sums.split('\0')].toSorted()
  }

  function damage(): void {
    writeFileSync(join(it.path, 'shop.js'), 'damaged\n')
    writeFileSync(join(it.path, 'data/shop.sqlite'), 'no database')
    writeFileSync(join(it.path, 'data/shop.sqlite-wal'), 'of another one')
    rmSync(join(it.path, 'uploads/2026'), { recursive: true })
    writeFileSync(join(it.path, 'uploads/2026'), 'a file where a folder was')
    rmSync(join(it.path, 'empty'), { recursive: true })
    chmodSync(join(it.path, '.env'), 0o666)
    it.own()
  }

  test('what a login may not write to is refused before anything is done, with what to do', async () => {
    runNow('chown', ['0:0', it.path])
    const { code, err } = await bewaar('restore', '--project=shop', '--yes')
    it.own()
    assert.equal(code, 2)
    assert.match(err, /may not write to .*shop\n/)
    assert.match(err, /--only=database.*--to/)
    assert.deepEqual(content(), whole)
  })

  test('it stops with the state told, goes on with --resume, and all is as in the backup; what is not in it stays', async () => {
    damage()
    writeFileSync(join(it.path, 'uploads/stray.txt'), 'made after the backup')
    it.own()
    const before = content()
    const plan = await succeed('restore', '--project=shop', '--dry-run')
    assert.match(plan.out, /overwrites .*shop\.js\n/)
    assert.deepEqual(content(), before)
    const stopped = await bewaar('restore', '--project=shop', '--yes')
    assert.equal(stopped.code, 1, stopped.err)
    assert.match(stopped.err, /Done: .*files/)
    writeFileSync(join(it.sshd.home, 'ready'), '')
    await succeed('restore', '--project=shop', '--resume', '--yes')
    assert.deepEqual(
      content().filter((line) => !/^uploads\/stray\.txt|uploads\/stray\.txt$/.test(line)),
      whole,
    )
    await succeed('restore', '--project=shop', '--undo', '--yes')
    assert.deepEqual(content(), before)
    await succeed('restore', '--project=shop', '--delete', '--yes')
    assert.ok(!readdirSync(join(it.path, 'uploads')).includes('stray.txt'))
  })

  test('one path comes back alone, and a project whose folder is gone comes back whole', async () => {
    writeFileSync(join(it.path, 'shop.js'), 'damaged\n')
    rmSync(join(it.path, 'uploads/same.jpg'))
    await succeed('restore', '--project=shop', '--path=uploads/same.jpg', '--yes')
    assert.equal(readFileSync(join(it.path, 'uploads/same.jpg')).length, 3_000_000)
    assert.equal(readFileSync(join(it.path, 'shop.js'), 'utf8'), 'damaged\n')
    rmSync(it.path, { recursive: true })
    const { user, target } = it.sshd
    await succeed('restore', '--project=shop', `--to-host=ssh://${user.name}@127.0.0.1:${target.port}`, '--yes')
    assert.deepEqual(content(), whole)
    await succeed('restore', '--project=shop', '--undo', '--yes')
    assert.deepEqual(readdirSync(it.path), [])
  })
})
