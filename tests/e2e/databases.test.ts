import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { runProgram } from '#base'
import { startMariadb, startPostgresql, type MariadbServer, type PostgresqlServer } from '#sandbox'
import { makeApplication } from '../fixtures/applications/applications.ts'
import { needs } from '../needs.ts'
import { emptyPlace, type Ended, type Place } from './place.ts'
import { around, shownByProcesses } from './shown-by-processes.ts'

/** Words that must be nowhere but in the settings of the applications and in what is sealed. */
const canaries = ['canary-of-mysql', 'canary-of-postgresql', 'canary-of-the-vault'] as const
const [mysqlPassword, postgresqlPassword, vaultPassword] = canaries

const skip = needs('pg_ctlcluster', 'mariadbd', 'restic')

/** The two servers, and two Laravel applications that use them, each configured in three lines. */
async function scene() {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await emptyPlace())
  const [postgresql, mariadb] = await Promise.all([startPostgresql(), startMariadb()])
  stack.use(postgresql)
  stack.use(mariadb)
  await fill(postgresql, mariadb)
  makeApplication('havunadmin', place.path)
  makeApplication('aimtrack', place.path)
  await setEnv(place, 'havunadmin', { DB_PORT: String(mariadb.port), DB_PASSWORD: `'${mysqlPassword}'` })
  const url = `postgresql://aimtrack:${postgresqlPassword}@127.0.0.1:${postgresql.port}/aimtrack`
  await setEnv(place, 'aimtrack', { DB_PASSWORD: postgresqlPassword, DB_URL: `"${url}"` })
  await place.write(
    'bewaar.yaml',
    `state: ./state
vaults:
  hot: { location: ./hot, password: { env: VAULT_PASSWORD } }
projects:
  havunadmin:
    type: laravel-app
    path: ./havunadmin
    schedule: daily 03:00
  aimtrack:
    type: laravel-app
    path: ./aimtrack
    schedule: daily 02:30
`,
  )
  const kept = stack.move()
  return { place, postgresql, mariadb, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function fill(postgresql: PostgresqlServer, mariadb: MariadbServer): Promise<void> {
  await postgresql.run(`create role aimtrack login password '${postgresqlPassword}'`)
  await postgresql.run('create database aimtrack owner aimtrack')
  await postgresql.run(
    `set role aimtrack;
     create table users (id serial primary key, name text not null);
     insert into users (name) select 'user ' || n from generate_series(1, 500) n;
     create table targets (id serial primary key, owner int references users, path text);
     insert into targets (owner, path) select n, 'targets/' || n from generate_series(1, 40) n`,
    'aimtrack',
  )
  await mariadb.run('create database havunadmin')
  await mariadb.run(`create user havunadmin@'%' identified by '${mysqlPassword}'`)
  await mariadb.run("grant all on havunadmin.* to havunadmin@'%'")
  await mariadb.run(
    `create table invoices (id int primary key auto_increment, customer varchar(80), amount decimal(10, 2));
     insert into invoices (customer, amount) select concat('customer ', seq), seq * 1.5 from seq_1_to_700;
     create table customers (name varchar(80) primary key);
     insert into customers select concat('customer ', seq) from seq_1_to_30`,
    'havunadmin',
  )
}

async function setEnv(place: Place, application: string, values: Readonly<Record<string, string>>): Promise<void> {
  const file = place.at(application, '.env')
  let text = await readFile(file, 'utf8')
  for (const [name, value] of Object.entries(values)) {
    const line = new RegExp(`^${name}=.*$`, 'm')
    assert.match(text, line)
    text = text.replace(line, () => `${name}=${value}`)
  }
  await writeFile(file, text)
}

interface Report {
  readonly project: string
  readonly status: string
  readonly snapshot: string | null
  readonly findings: readonly { readonly severity: string; readonly text: string }[]
  readonly artifacts: readonly {
    readonly path: string
    readonly kind: string
    readonly rows?: Record<string, number>
  }[]
  readonly error?: { readonly code: string; readonly message: string }
}

function reportOf(out: string, project: string): Report {
  return (JSON.parse(out) as Report[]).find((report) => report.project === project)!
}

describe('Laravel applications with databases', { skip, concurrency: 1 }, () => {
  let it: Awaited<ReturnType<typeof scene>>
  before(async () => {
    it = await scene()
  })
  after(() => it[Symbol.asyncDispose]())

  function bewaar(...args: string[]) {
    return it.place.start(args, { env: { VAULT_PASSWORD: vaultPassword } })
  }

  async function succeed(...args: string[]): Promise<Ended> {
    const end = await bewaar(...args).ended
    assert.equal(end.code, 0, end.err + end.out)
    return end
  }

  const texts: string[] = []

  test('three lines of configuration take the database, the files and the settings, and no password is seen', async () => {
    await succeed('init')
    const { child, ended } = bewaar('run', '--json')
    let seen = ''
    const looking = setInterval(() => (seen += shownByProcesses(child.pid!)), 20)
    const { code, out, err } = await ended
    clearInterval(looking)
    assert.equal(code, 0, out + err)
    texts.push(out, err, seen)
    assert.match(seen, /pg_dump/, 'nobody looked while the dump was running')
    const shop = reportOf(out, 'havunadmin')
    const dump = shop.artifacts.find(({ path }) => path === 'database/havunadmin.sql')
    assert.deepEqual({ ...dump?.rows }, { customers: 30, invoices: 700 })
    const track = reportOf(out, 'aimtrack').artifacts.find(({ path }) => path === 'database/aimtrack.sql')
    assert.deepEqual(new Set(Object.values(track?.rows ?? {})), new Set([40, 500]))
  })

  test('what lies in the vault restores with stock tools into empty servers, row for row', async () => {
    await succeed('verify', '--share=100%')
    for (const project of ['havunadmin', 'aimtrack']) {
      await succeed('restore', `--project=${project}`, `--to=${it.place.at('restored', project)}`, '--yes')
    }
    const at = (...names: string[]): string => it.place.at('restored', ...names)
    await it.postgresql.run('create database again owner aimtrack')
    const psql = join(it.postgresql.programFolder, 'psql')
    const server = ['-h', it.postgresql.socketFolder, '-p', String(it.postgresql.port), '-U', 'postgres', '-d', 'again']
    await runProgram(psql, ['-X', '-v', 'ON_ERROR_STOP=1', ...server, '-f', at('aimtrack', 'database/aimtrack.sql')])
    const rows = 'select count(*), md5(string_agg(u::text, $$,$$ order by id)) from users u'
    assert.equal(await it.postgresql.run(rows, 'again'), await it.postgresql.run(rows, 'aimtrack'))

    await it.mariadb.run('create database again')
    await it.mariadb.run(await readFile(at('havunadmin', 'database/havunadmin.sql'), 'utf8'), 'again')
    const sums = 'checksum table invoices, customers'
    const numbers = (text: string): string[] => text.match(/\t\d+/g) ?? []
    assert.deepEqual(numbers(await it.mariadb.run(sums, 'again')), numbers(await it.mariadb.run(sums, 'havunadmin')))
    assert.match(await readFile(at('havunadmin', 'RESTORE.md'), 'utf8'), /havunadmin\.sql/)
    assert.match(await readFile(at('havunadmin', 'config/.env'), 'utf8'), /canary-of-mysql/)
    await rm(at(), { recursive: true })
  })

  test('a dump, or one table of it, comes out on standard output, and stock clients load it', async () => {
    const whole = await succeed('dump', '--project=havunadmin')
    assert.match(whole.err, /^database\/havunadmin\.sql \(.*\), with the SHA-256 of the manifest, from snapshot /)
    await it.mariadb.run(`create database dumped; use dumped;\n${whole.out}`)
    assert.equal(await it.mariadb.run('select count(*) from invoices', 'dumped'), '700')
    const { out } = await succeed('dump', '--project=aimtrack', '--table=users', '--quiet')
    await it.postgresql.run('create database one_table')
    await it.postgresql.run(out, 'one_table')
    const next = `insert into public.users (name) values ('next') returning id; select count(*) from pg_tables where schemaname = 'public'`
    assert.equal(await it.postgresql.run(next, 'one_table'), '501\n1')
  })

  test('a database that cannot be reached fails its project with the reason, keeps the last backup, and the others run', async () => {
    const file = it.place.at('aimtrack', '.env')
    const good = await readFile(file, 'utf8')
    await writeFile(file, good.replaceAll(postgresqlPassword, 'wrong-canary'))
    const { code, out, err } = await bewaar('run', '--json').ended
    await writeFile(file, good)
    texts.push(out, err)
    assert.notEqual(code, 0)
    const failed = reportOf(out, 'aimtrack')
    assert.deepEqual([failed.status, failed.snapshot], ['failed', null])
    assert.match(failed.error!.message, /password authentication failed/)
    assert.doesNotMatch(out, /wrong-canary/)
    assert.equal(reportOf(out, 'havunadmin').status, 'complete')
    const listed = JSON.parse((await succeed('list', '--project=aimtrack', '--json')).out) as unknown[]
    assert.equal(listed.length, 1)
  })

  test('a database that lost its rows makes the run incomplete, and says so', async () => {
    await it.mariadb.run('delete from invoices where id > 100', 'havunadmin')
    const { code, out } = await bewaar('run', '--project=havunadmin', '--json').ended
    assert.equal(code, 3)
    const { findings } = reportOf(out, 'havunadmin')
    assert.match(findings.map(({ text }) => text).join('\n'), /invoices fell from 700 rows to 100/)
  })

  test('no password is in the log, the listing, the catalog, the manifest or anything that was said', async () => {
    for (const args of [
      ['logs', '--json'],
      ['logs', '--verbose'],
      ['list', '--json'],
      ['config', '--json'],
      ['run', '--dry-run'],
    ]) {
      const { out, err } = await succeed(...args)
      texts.push(out, err)
    }
    await succeed('restore', '--project=aimtrack', `--to=${it.place.at('looked-at')}`, '--yes')
    for (const name of ['manifest.json', 'RESTORE.md', 'database/aimtrack.sql']) {
      texts.push(await readFile(it.place.at('looked-at', name), 'utf8'))
    }
    for (const folder of ['state', 'hot', 'tmp']) {
      for (const name of readdirSync(it.place.at(folder), { recursive: true, withFileTypes: true })) {
        if (name.isFile()) texts.push(readFileSync(join(name.parentPath, name.name), 'latin1'))
      }
    }
    for (const canary of canaries) {
      for (const text of texts) assert.ok(!text.includes(canary), `${canary} in …${around(text, canary)}…`)
    }
  })
})
