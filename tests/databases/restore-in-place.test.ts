import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import { startMariadb, startPostgresql, type MariadbServer, type PostgresqlServer } from '#sandbox'
import { pause } from '#base'
import { damageLargestPack } from '../e2e/damage.ts'
import { emptyPlace, type Ended, type Place } from '../e2e/place.ts'
import { needs } from '../needs.ts'

const skip = needs('pg_ctlcluster', 'mariadbd')

/** One project with a database on each server, and a file. */
describe('restoring databases on servers in place', { skip, concurrency: 1 }, () => {
  let place: Place
  let postgresql: PostgresqlServer
  let mariadb: MariadbServer
  before(async () => {
    ;[place, postgresql, mariadb] = await Promise.all([emptyPlace(), startPostgresql(), startMariadb()])
    await postgresql.run(`create role shop login createdb password 'secret-of-shop'`)
    await postgresql.run('create database shop owner shop')
    await postgresql.run(
      `set role shop;
       create table orders (id int primary key, total int);
       insert into orders select n, n * 3 from generate_series(1, 400) n;
       create table notes (text text);
       insert into notes values ('kept')`,
      'shop',
    )
    await mariadb.run('create database mail')
    await mariadb.run(`create user mail@'%' identified by 'secret-of-mail'`)
    await mariadb.run(`grant all on *.* to mail@'%'`)
    await mariadb.run(
      'create table letters (id int primary key); insert into letters select seq from seq_1_to_300',
      'mail',
    )
    await place.write('shop/readme.txt', 'as it was\n')
    await place.write(
      'bewaar.yaml',
      `state: ./state
vaults:
  hot: { location: ./hot, password: { env: VAULT_PASSWORD } }
projects:
  shop:
    type: generic
    path: ./shop
    schedule: daily 03:00
    databases:
      - { driver: postgresql, host: 127.0.0.1, port: ${postgresql.port}, name: shop, user: shop, password: { env: PG } }
      - { driver: mariadb, host: 127.0.0.1, port: ${mariadb.port}, name: mail, user: mail, password: { env: MY } }
    restore:
      after: [[touch, restored]]
`,
    )
    await succeed('init')
    await succeed('run')
  })
  after(async () => {
    await mariadb?.[Symbol.asyncDispose]()
    await postgresql?.[Symbol.asyncDispose]()
    await place?.[Symbol.asyncDispose]()
  })

  function bewaar(...args: string[]): Promise<Ended> {
    const env = { VAULT_PASSWORD: 'of the vault', PG: 'secret-of-shop', MY: 'secret-of-mail' }
    return place.start(args, { env }).ended
  }
  async function succeed(...args: string[]): Promise<Ended> {
    const end = await bewaar(...args)
    assert.equal(end.code, 0, `${args.join(' ')}: ${end.err}${end.out}`)
    return end
  }
  const orders = async (): Promise<string> =>
    (await postgresql.run('select count(*), sum(total) from orders', 'shop')).trim()
  const letters = async (): Promise<string> => (await mariadb.run('select count(*) from letters', 'mail')).trim()

  test('both come back with the file, and go back again with --undo', async () => {
    const [sum, count] = [await orders(), await letters()]
    await postgresql.run('update orders set total = 0; drop table notes', 'shop')
    await mariadb.run('delete from letters where id > 5', 'mail')
    await writeFile(place.at('shop/readme.txt'), 'damaged\n')
    const [badSum, badCount] = [await orders(), await letters()]

    const plan = await succeed('restore', '--project=shop', '--dry-run')
    assert.match(plan.out, /Database shop on 127\.0\.0\.1:\d+ .*beside what is there/)
    assert.equal(await orders(), badSum)

    const done = JSON.parse((await succeed('restore', '--project=shop', '--yes', '--json')).out) as {
      status: string
      rows: number
      kept: string[]
      safety: { snapshot: string }
    }
    assert.deepEqual([done.status, done.rows, done.kept.length], ['complete', 701, 2])
    assert.deepEqual([await orders(), await letters()], [sum, count])
    assert.equal((await postgresql.run('select text from notes', 'shop')).trim(), 'kept')

    await succeed('restore', '--project=shop', '--undo', '--yes')
    assert.deepEqual([await orders(), await letters()], [badSum, badCount])
    await assert.rejects(postgresql.run('select text from notes', 'shop'))
  })

  test('one table comes back alone', async () => {
    await postgresql.run('update orders set total = 7', 'shop')
    await rm(place.at('shop/readme.txt'))
    await succeed('restore', '--project=shop', '--table=orders', '--yes')
    assert.notEqual((await postgresql.run('select count(distinct total) from orders', 'shop')).trim(), '1')
    await assert.rejects(postgresql.run('select text from notes', 'shop'))
    await succeed('restore', '--project=shop', '--only=files', '--yes')
  })

  /** Of both servers, those that a restore makes beside. */
  const beside = async (): Promise<string> => {
    const names = await postgresql.run(`select datname from pg_database where datname like 'shop\\_%'`)
    return names + (await mariadb.run(`show databases like 'mail\\_loading%'`))
  }
  const kept = async (): Promise<string> => (await beside()).replaceAll(/^\w+_before_\w+\n?/gm, '')

  test('what a dump lacks in the vault is found before anything is another', async () => {
    await postgresql.run(
      `set role shop; create table noise as select md5(random()::text) as text from generate_series(1, 100000)`,
      'shop',
    )
    assert.equal((await bewaar('run')).code, 3) // because the tests before this one have lost rows
    await writeFile(place.at('shop/readme.txt'), 'not overwritten\n')
    await mariadb.run('delete from letters where id > 7', 'mail')
    const before = [await orders(), await letters()]
    const mend = await damageLargestPack(place.at('hot/shop/data'))
    const { code, err } = await bewaar('restore', '--project=shop', '--yes')
    assert.equal(code, 4)
    assert.match(err, /\(restore\.damaged\)\n$/)
    assert.deepEqual([await orders(), await letters(), await kept()], [...before, ''])
    assert.equal(await readFile(place.at('shop/readme.txt'), 'utf8'), 'not overwritten\n')
    assert.deepEqual((await readdir(place.at('shop'))).sort(), ['readme.txt', 'restored'])
    await mend()
    await succeed('restore', '--project=shop', '--yes')
    assert.equal(await readFile(place.at('shop/readme.txt'), 'utf8'), 'as it was\n')
  })

  test('killed while it waits, it is gone back on or gone on with, and leaves no database beside', async () => {
    for (const goingOn of ['--undo', '--resume']) {
      await postgresql.run('update orders set total = 9', 'shop')
      const before = await orders()
      const env = { VAULT_PASSWORD: 'of the vault', PG: 'secret-of-shop', MY: 'secret-of-mail' }
      const { child, ended } = place.start(['restore', '--project=shop', '--yes'], { env })
      const over = new AbortController()
      void ended.then(() => over.abort())
      while (!over.signal.aborted && (await kept()) === '') await pause(2)
      child.kill('SIGKILL')
      assert.equal((await ended).code, 137)
      assert.match(await kept(), /^shop_loading_/)
      assert.equal(await orders(), before)
      await succeed('restore', '--project=shop', goingOn, '--yes')
      assert.equal(await kept(), '')
      assert.equal((await orders()) === before, goingOn === '--undo')
    }
  })

  test('a server that does not answer is told before anything is written', async () => {
    const text = (await place.run('cat', [place.at('bewaar.yaml')]).ended).out
    await writeFile(place.at('bewaar.yaml'), text.replace(`port: ${postgresql.port}`, 'port: 1'))
    await writeFile(place.at('shop/readme.txt'), 'untouched\n')
    const { code, err } = await bewaar('restore', '--project=shop', '--yes')
    await writeFile(place.at('bewaar.yaml'), text)
    assert.equal(code, 1)
    assert.match(err, /source\./)
    assert.equal((await place.run('cat', [place.at('shop/readme.txt')]).ended).out, 'untouched\n')
  })
})
