import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'

import { composeServices } from '#app'
import { runProgram } from '#base'
import { commandTable, runCommandLine, type Terminal } from '#cli'
import { startMariadb, startPostgresql } from '#sandbox'
import { emptyPlace, type Ended, type Place } from '../e2e/place.ts'
import { needs } from '../needs.ts'

const skip = needs('pg_ctlcluster', 'mariadbd', 'age', 'gpg', 'zstd', 'sqlite3')

/** The same table in each server, so that the same questions have the same answers. */
const tables = (series: string): string => `
  create table customer (id int primary key, name varchar(80) not null);
  insert into customer values (1, 'Jansen, "de" & zn.'), (2, 'O''Brien\\n'), (3, 'regel 1
regel 2'), (4, ''), (5, '€ 日本');
  create table invoice (id int primary key, customer int references customer(id), total numeric(10,2) not null,
    vat numeric(12,4), sold date, note varchar(80));
  insert into invoice select n, 1 + n % 5, n * 1.15, case when n % 7 = 0 then null else n * 0.21 end, ${series};
  create table nothing_in_it (a int, b varchar(9));`

async function scene() {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await emptyPlace())
  const postgresql = stack.use(await startPostgresql())
  const mariadb = stack.use(await startMariadb())
  await postgresql.run('create database shop')
  await postgresql.run(
    `${tables(`date '2024-01-01' + n % 365, nullif('note ' || n % 3, 'note 0') from generate_series(1, 3000) n`)}
     comment on column invoice.vat is 'at 21 %';
     alter table invoice add primary_moment timestamptz default '2024-06-01 12:00:00+02', add bytes bytea default '\\x00ff';
     create schema odd; create table odd."Odd, Name" ("Col ""x""" text); insert into odd."Odd, Name" values ('=1+1')`,
    'shop',
  )
  await mariadb.run('create database shop character set utf8mb4')
  await mariadb.run(
    `${tables(`'2024-01-01' + interval n % 365 day, nullif(concat('note ', n % 3), 'note 0') from (select seq n from seq_1_to_3000) s`)}
     alter table invoice add photo blob; update invoice set photo = x'00FF' where id < 3`.replace(
      "O''Brien\\n",
      "O''Brien\\\\n",
    ),
    'shop',
  )
  await place.write('app/uploads/photo.jpg', Buffer.alloc(100_000, 'photo'))
  await place.write('other/uploads/photo.jpg', Buffer.alloc(100_000, 'photo'))
  await place.write('app/.env', 'SECRET=1\n', 0o600)
  using database = new DatabaseSync(place.at('app/local.sqlite'))
  database.exec('create table big (n integer, r real, t text); insert into big values (9007199254740993, 1.5, null)')
  await place.write('password', 'the password\n', 0o600)
  const server = (driver: string, more: string): string => `{ driver: ${driver}, name: shop, ${more} }`
  const ofPostgresql = `socket: ${postgresql.socketFolder}, port: ${postgresql.port}, user: ${postgresql.superuser}`
  await place.write(
    'bewaar.yaml',
    `timezone: Europe/Amsterdam
state: ./state
language: nl
vaults: { hot: { location: ./hot, password: { file: ./password } } }
projects:
  shop:
    type: generic
    path: ./app
    schedule: daily 03:00
    databases:
      - ${server('postgresql', ofPostgresql)}
      - ${server('mariadb', `socket: ${mariadb.socket}, user: ${mariadb.superuser}`)}
      - { driver: sqlite, path: local.sqlite }
  custom:
    type: generic
    path: ./other
    schedule: daily 03:00
    databases: [${server('postgresql', `format: custom, ${ofPostgresql}`)}]
`,
  )
  const kept = stack.move()
  return { place, postgresql, mariadb, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

describe('a backup as a sealed export', { skip, concurrency: 1 }, () => {
  let it: Awaited<ReturnType<typeof scene>>
  let recipient: string
  before(async () => {
    it = await scene()
    process.env['GNUPGHOME'] = it.place.at('home') // because a key of this user is none of the test's business
    for (const args of [['init'], ['run']]) {
      const { code, out, err } = await bewaar(it.place, ...args)
      assert.equal(code, 0, out + err)
    }
    await runProgram('age-keygen', ['--output', it.place.at('key.txt')])
    recipient = (await runProgram('age-keygen', ['-y', it.place.at('key.txt')])).trim()
  })
  after(() => it[Symbol.asyncDispose]())

  test('is opened with age, zstd and tar, is whole, and its tables load into SQLite with equal totals', async () => {
    const report = await exported(
      it.place,
      'shop',
      `--recipient=${recipient}`,
      '--year=2026',
      `--to=${it.place.at('shop.age')}`,
    )
    assert.deepEqual(
      report.findings.filter(({ severity }) => severity !== 'notice'),
      [],
    )
    await inShell(it.place, `${report.opening[0]}`)
    const folder = it.place.at(report.name.replace('.tar.zst.age', ''))
    await inShell(it.place, 'sha256sum --check --quiet --strict SHA256SUMS', folder)
    await inShell(it.place, `diff --recursive snapshot/files ${it.place.at('app')} --exclude=.env`, folder)

    const [ofPostgresql, ofMariadb] = await Promise.all([
      it.postgresql.run(questions, 'shop'),
      it.mariadb.run(questions, 'shop'),
    ])
    const folders = await readdir(`${folder}/tables`)
    assert.equal(folders.length, 3, folders.join())
    for (const name of folders.filter((one) => one !== 'local.sqlite')) {
      const isMariadb = (await readFile(`${folder}/tables/${name}/tables.csv`, 'utf8')).includes('\ninvoice,')
      const found = await inSqlite(it.place, `${folder}/tables/${name}`, isMariadb ? '' : 'public.')
      const expected = (isMariadb ? ofMariadb : ofPostgresql).replaceAll('\t', '|')
      assert.equal(found, expected.trim())
      const [sheet, dictionary, list] = await Promise.all(
        ['reconciliation', 'columns', 'tables'].map((one) => readFile(`${folder}/tables/${name}/${one}.csv`, 'utf8')),
      )
      const [rows, total, , first, last] = expected.split('|')
      assert.match(
        sheet!,
        new RegExp(`invoice,total,"(?:numeric|decimal)\\(10,2\\)",${rows},0,${total},1.15,3450.00,0\r\n`),
      )
      assert.match(sheet!, new RegExp(`invoice,sold,date,${rows},0,,${first},${last},0\r\n`))
      assert.match(dictionary!, /invoice,1,id,int\S*,no,,yes,/)
      assert.equal(list!.match(/,yes,/g)!.length, isMariadb ? 3 : 4)
      if (!isMariadb) assert.match(dictionary!, /vat,"numeric\(12,4\)",yes,,no,,at 21 %/)
    }
    const local = await readFile(`${folder}/tables/local.sqlite/data/big.csv`, 'utf8')
    assert.equal(local, 'n,r,t\r\n9007199254740993,1.5,\r\n')
    assert.match(await readFile(`${folder}/RESTORE.md`, 'utf8'), /Openen gaat met/)
  })

  test('in the custom format of PostgreSQL has the same tables, sealed for a key of OpenPGP', async () => {
    const home = it.place.at('gnupg')
    await inShell(it.place, `mkdir -m 700 ${home}`)
    const gpg = `gpg --homedir ${home} --batch --quiet`
    await inShell(it.place, `${gpg} --passphrase '' --quick-generate-key test@example.org default default never 2>&1`)
    await inShell(it.place, `${gpg} --armor --export > key.asc`)
    const report = await exported(
      it.place,
      'custom',
      `--gpg=${it.place.at('key.asc')}`,
      '--only=database',
      `--to=${it.place.at('custom.gpg')}`,
    )
    await inShell(it.place, `${gpg} --decrypt custom.gpg | zstd --decompress | tar --extract`)
    await inShell(it.place, `gpgconf --homedir ${home} --kill gpg-agent`)
    const folder = it.place.at(report.name.replace('.tar.zst.gpg', ''))
    await inShell(it.place, 'sha256sum --check --quiet --strict SHA256SUMS', folder)
    const [name] = await readdir(`${folder}/tables`)
    const found = await inSqlite(it.place, `${folder}/tables/${name}`, 'public.')
    assert.equal(found, (await it.postgresql.run(questions, 'shop')).trim())
    assert.deepEqual((await readdir(`${folder}/snapshot`)).toSorted(), ['RESTORE.md', 'database', 'manifest.json'])
  })

  test('goes to standard output, sealed with a passphrase that no argument shows', async () => {
    await it.place.write('passphrase', 'correct horse battery staple\n', 0o600)
    const args = ['export', '--project=custom', `--passphrase-file=${it.place.at('passphrase')}`, '--to=-'] as const
    const { code, bytes } = await bewaar(it.place, ...args)
    assert.equal(code, 0)
    await writeFile(it.place.at('sealed.gpg'), bytes)
    const open =
      'gpg --homedir tmp --batch --quiet --no-autostart --pinentry-mode loopback --passphrase-file passphrase'
    const names = await inShell(it.place, `${open} --decrypt sealed.gpg | zstd --decompress | tar --list`)
    assert.match(names, /\/snapshot\/files\/uploads\/photo\.jpg\n/)
    assert.match(names, /\/SHA256SUMS\n$/)
  })

  test('is refused before anything is written when it cannot be sealed, found or kept', async () => {
    await writeFile(it.place.at('there.age'), 'mine')
    const cases = [
      [['--year=2019', `--recipient=${recipient}`], 1, 'restore.no-backup'],
      [['--year=2100', `--recipient=${recipient}`], 1, 'export.no-year'],
      [[`--to=${it.place.at('there.age')}`, `--recipient=${recipient}`], 1, 'export.exists'],
      [[`--recipient=${recipient.slice(0, -1)}q`], 2, 'export.unsealable'],
      [[`--gpg=${'0'.repeat(40)}`], 2, 'export.unsealable'],
      [['--passphrase-file=/dev/null'], 2, 'export.no-passphrase'],
      [[], 2, 'cli.usage'],
    ] as const
    const before = (await readdir(it.place.path)).toSorted()
    for (const [args, expected, reason] of cases) {
      const { code, err } = await bewaar(it.place, 'export', '--project=custom', ...args)
      assert.deepEqual([code, /\(([\w.-]+)\)\n$/.exec(err)?.[1]], [expected, reason], err)
    }
    assert.deepEqual((await readdir(it.place.path)).toSorted(), before)
    assert.equal(await readFile(it.place.at('there.age'), 'utf8'), 'mine')
  })

  test('of a damaged backup ends with exit code 4, and leaves no file that looks whole', async () => {
    await using copy = await it.place.copy()
    const packs = copy.at('hot', 'custom', 'data')
    for (const folder of readdirSync(packs))
      for (const name of readdirSync(`${packs}/${folder}`)) await damage(`${packs}/${folder}/${name}`)
    const { code, err } = await bewaar(
      copy,
      'export',
      '--project=custom',
      `--recipient=${recipient}`,
      `--to=${copy.at('broken.age')}`,
    )
    assert.equal(code, 4, err)
    assert.deepEqual(
      (await readdir(copy.path)).filter((name) => name.includes('broken')),
      [],
    )
  })
})

/** Breaks the large blobs, which are those of the upload: pieces of what is small still open. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file)
  for (let at = 100; at < bytes.length - 2000; at += 5000) bytes[at]! ^= 1
  await runProgram('chmod', ['u+w', file])
  await writeFile(file, bytes)
}

const questions = `select count(*), sum(total), sum(case when vat is null then 1 else 0 end), min(sold), max(sold),
  sum(case when note is null then 1 else 0 end), count(distinct customer) from invoice`

/** Loads the CSV files as a person would, and asks the same: money in cents, because it comes as text. */
async function inSqlite(place: Place, folder: string, schema: string): Promise<string> {
  const load = (table: string): string => `.import --csv '${folder}/data/${schema}${table}.csv' ${table}`
  const cents = `printf('%.2f', sum(cast(round(total * 100) as integer)) / 100.0)`
  const asked = questions.replace('sum(total)', cents).replaceAll(/(vat|note) is null/g, "$1 = ''")
  const input = [
    load('customer'),
    load('invoice'),
    load('nothing_in_it'),
    `${asked};`,
    'select count(*), max(length(name)) from customer;',
  ]
  const answer = await runProgram('sqlite3', [':memory:'], { input: input.join('\n'), cwd: place.path })
  const [invoices, customers] = answer.trim().split('\n')
  assert.equal(customers, '5|18')
  return invoices!
}

interface Report {
  readonly name: string
  readonly opening: readonly string[]
  readonly findings: readonly { readonly severity: string; readonly subject: string; readonly text: string }[]
}

async function exported(place: Place, project: string, ...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await bewaar(place, 'export', `--project=${project}`, '--json', ...args)
  assert.equal(code, 0, err + out)
  const report = JSON.parse(out) as Report & { readonly opening: readonly string[] }
  const key = place.at('key.txt')
  return { ...report, opening: report.opening.map((line) => line.replace('key.txt', key)) }
}

/** In this process, because starting another for each command takes longer than the command. */
async function bewaar(place: Place, ...args: readonly string[]): Promise<Ended & { readonly bytes: Buffer }> {
  const texts = { out: '', err: '' }
  const pieces: Buffer[] = []
  const terminal: Terminal = {
    out: async (text) => void (texts.out += text),
    outBytes: async (bytes) => void pieces.push(Buffer.from(bytes)),
    err: (text) => void (texts.err += text),
    outColumns: undefined,
    errColumns: undefined,
    ask: async () => undefined,
  }
  const setup = { entries: commandTable, terminal, version: '0.0.0', services: composeServices }
  const line = [...args, `--config=${place.at('bewaar.yaml')}`]
  const code = await runCommandLine(line, setup, new AbortController().signal)
  return { code, ...texts, bytes: Buffer.concat(pieces) }
}

async function inShell(place: Place, line: string, cwd = place.path): Promise<string> {
  return await runProgram('bash', ['-e', '-o', 'pipefail', '-c', line], { cwd, env: place.environment() })
}
