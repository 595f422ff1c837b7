import assert from 'node:assert/strict'
import { chownSync, readdirSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'

import { startPostgresql } from '#sandbox'
import { makeApplication } from '../fixtures/applications/applications.ts'
import { needs } from '../needs.ts'
import { run as runNow, startSshd } from '../remote/sshd.ts'
import { emptyPlace, type Ended } from './place.ts'

const skip = needs('sshd', 'ssh', 'pg_ctlcluster', 'restic', 'rsync', 'root')
const password = 'canary-of-the-other-server'

/** An application with its database on a server that is reached by SSH alone, as a user who may only read. */
async function scene() {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await emptyPlace())
  const sshd = stack.use(await startSshd({ keyOptions: 'restrict' }))
  const server = stack.use(await startPostgresql())
  await server.run(`create role aimtrack login password '${password}'`)
  await server.run('create database aimtrack owner aimtrack')
  await server.run(
    'create table shots as select n as id, md5(n::text) as text from generate_series(1, 5000) n',
    'aimtrack',
  )
  await server.run('grant select on shots to aimtrack', 'aimtrack')
  const path = makeApplication('aimtrack', join(sshd.folder, 'www'))
  const url = `DB_URL="postgresql://aimtrack:${password}@127.0.0.1:${server.port}/aimtrack"`
  const env = (await readFile(join(path, '.env'), 'utf8')).replace(/^DB_URL=.*$/m, () => url)
  await writeFile(join(path, '.env'), env.replace(/^DB_PASSWORD=.*$/m, `DB_PASSWORD=${password}`))
  const databases = join(path, 'storage/app')
  using atRest = new DatabaseSync(join(databases, 'at-rest.sqlite'))
  atRest.exec('create table notes as select 1 as id, $$a$$ as text'.replaceAll('$$', "'"))
  const inUse = new DatabaseSync(join(databases, 'in-use.sqlite'))
  stack.defer(() => inUse.close())
  inUse.exec('pragma journal_mode = wal; create table visits (at text)')
  for (let visit = 0; visit < 50; visit++) inUse.exec(`insert into visits values ('visit ${visit}')`)
  await writeFile(join(databases, 'clients.json'), '[{ "id": 1 }, { "id": 2 }]')
  runNow('chown', ['-R', `root:${sshd.user.gid}`, path])
  runNow('chmod', ['-R', 'u=rwX,g=rX,o=', path])
  const { identity, knownHosts, port, user } = { ...sshd.target, user: sshd.user.name }
  const project = (name: string, on: string): string => `  ${name}:
    type: laravel-app
    path: ${path}
    schedule: daily 03:00
${on}`
  const there = `    on: ssh://${user}@127.0.0.1:${port}
    identity: { file: ${identity} }
    known-hosts: ${knownHosts}
`
  await place.write('password', 'secret of the vault', 0o600)
  await place.write(
    'bewaar.yaml',
    `state: ./state
vaults: { hot: { location: ./hot, password: { file: ./password } } }
projects:
${project('there', there)}${project('here', '')}`,
  )
  const kept = stack.move()
  return { place, sshd, server, path, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

interface Report {
  readonly status: string
  readonly bytesRead: number
  readonly files: number
  readonly artifacts: readonly { readonly path: string; readonly sha256: string; readonly rows?: object }[]
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string }
}

describe('a project on another server', { skip, concurrency: 1 }, () => {
  let it: Awaited<ReturnType<typeof scene>>
  before(async () => {
    it = await scene()
  })
  after(() => it[Symbol.asyncDispose]())

  async function succeed(...args: string[]): Promise<Ended> {
    const end = await it.place.bewaar(...args)
    assert.equal(end.code, 0, end.err + end.out)
    return end
  }

  async function reportOf(project: string): Promise<Report> {
    const { out } = await it.place.bewaar('run', `--project=${project}`, '--json')
    return (JSON.parse(out) as Report[])[0]!
  }

  test('its backup holds what a backup made on the server itself holds', async () => {
    await succeed('init')
    const there = await reportOf('there')
    assert.equal(there.status, 'complete', JSON.stringify(there))
    const here = await reportOf('here')
    assert.equal(here.status, 'complete', JSON.stringify(here))
    const dump = there.artifacts.find(({ path }) => path === 'database/aimtrack.sql')!
    assert.deepEqual({ ...dump.rows }, { ...here.artifacts.find(({ path }) => path === dump.path)!.rows })
    const rowsOf = (name: string) => there.artifacts.find(({ path }) => path === `files/storage/app/${name}`)?.rows
    assert.deepEqual({ ...rowsOf('in-use.sqlite') }, { visits: 50 })
    assert.deepEqual({ ...rowsOf('at-rest.sqlite') }, { notes: 1 })
    assert.deepEqual({ ...rowsOf('clients.json') }, { records: 2 })
    for (const project of ['there', 'here']) {
      await succeed('restore', `--project=${project}`, `--to=${it.place.at('restored', project)}`, '--yes')
    }
    // Because SQLite puts a database and its log together in one of two ways that differ in a counter of the header.
    const besides = ['--exclude', 'in-use.sqlite']
    for (const part of ['files', 'config']) {
      const [from, to] = ['there', 'here'].map((project) => `${it.place.at('restored', project, part)}/`)
      const compare = [
        '-aHAXn',
        '--checksum',
        '--delete',
        '--itemize-changes',
        '--modify-window=-1',
        ...besides,
        from!,
        to!,
      ]
      assert.equal(runNow('rsync', compare), '', part)
    }
    for (const project of ['there', 'here']) {
      using restored = new DatabaseSync(it.place.at('restored', project, 'files/storage/app/in-use.sqlite'))
      assert.deepEqual({ ...restored.prepare('select count(*) as visits from visits').get() }, { visits: 50 })
    }
    assert.equal(there.files, here.files)
  })

  test('an unchanged second run reads the databases and no other file', async () => {
    const again = await reportOf('there')
    assert.equal(again.status, 'complete')
    const dumped = again.artifacts.filter(({ path }) => /^database\/|sqlite$|clients\.json$/.test(path))
    const sizes = runNow('stat', ['-c', '%s', ...dumped.map(({ path }) => it.place.at('restored', 'there', path))])
    const ofDumps = sizes
      .trim()
      .split('\n')
      .map(Number)
      .reduce((sum, size) => sum + size, 0)
    assert.ok(Math.abs(again.bytesRead - ofDumps) < 8192, `${again.bytesRead} bytes read, ${ofDumps} of them databases`)
  })

  test('a host key that changed or is not known stops the run with the reason and what to do', async () => {
    const { knownHosts } = it.sshd.target
    const known = await readFile(knownHosts, 'utf8')
    runNow('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(it.sshd.folder, 'other')])
    const other = await readFile(join(it.sshd.folder, 'other.pub'), 'utf8')
    for (const text of [known.replace(/ssh-ed25519 .*/, other.trim()), '']) {
      await writeFile(knownHosts, text)
      const { status, error } = await reportOf('there')
      assert.equal(status, 'failed')
      assert.equal(error!.code, 'remote.host-key', JSON.stringify(error))
      assert.ok(`${error!.message} ${error!.hint}`.includes(knownHosts), JSON.stringify(error))
    }
    await writeFile(knownHosts, known)
    assert.equal((await reportOf('there')).status, 'complete')
  })

  test('a file that the backup user may not read makes the run incomplete, and names it', async () => {
    const secret = join(it.path, 'storage/app/private.txt')
    await writeFile(secret, 'nobody else', { mode: 0o600 })
    chownSync(secret, 0, 0)
    const { code, out } = await it.place.bewaar('run', '--project=there', '--json')
    assert.equal(code, 3)
    assert.match(out, /private\.txt/)
    await rename(secret, join(it.place.path, 'away'))
  })

  test('nothing is restored over there, and the way is told; the password is nowhere to be seen', async () => {
    const { code, err } = await it.place.bewaar('restore', '--project=there', '--yes')
    assert.equal(code, 2)
    assert.match(err, /--to/)
    for (const args of [
      ['logs', '--json'],
      ['config', '--json'],
      ['run', '--dry-run', '--json'],
    ]) {
      const { out, err } = await succeed(...args)
      assert.ok(!`${out}${err}`.includes(password), args.join(' '))
    }
    for (const entry of readdirSync(it.place.at('state'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const text = await readFile(join(entry.parentPath, entry.name), 'latin1')
      assert.ok(!text.includes(password), entry.name)
    }
  })
})
