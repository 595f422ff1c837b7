import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import { startMariadb, startPostgresql } from '#sandbox'
import { applicationNames, makeApplication } from '../fixtures/applications/applications.ts'
import { needs } from '../needs.ts'
import { emptyPlace, type Ended, type Place } from './place.ts'

interface Proposed {
  readonly configuration: string
  readonly written: boolean
  readonly projects: readonly { readonly name: string; readonly type: string }[]
}

async function placeWithApplications(): Promise<Place> {
  const place = await emptyPlace()
  for (const name of applicationNames) makeApplication(name, place.at('www'))
  return place
}

function assertDone({ code, out, err }: Ended): string {
  assert.equal(code, 0, err + out)
  return out
}

describe('init where there is no configuration', { concurrency: 2 }, () => {
  test('finds Laravel and Node.js applications, and writes a configuration that is right', async () => {
    await using place = await placeWithApplications()
    const shown = assertDone(await place.bewaar('init', './www', '--vault=./vault', '--dry-run'))
    assert.match(shown, /Nothing was written/)
    assert.ok(!existsSync(place.at('bewaar.yaml')))
    const { projects, written, configuration } = JSON.parse(
      assertDone(await place.bewaar('init', './www', '--vault=./vault', '--json')),
    ) as Proposed
    assert.deepEqual([written, configuration], [true, place.at('bewaar.yaml')])
    assert.deepEqual(Object.fromEntries(projects.map(({ name, type }) => [name, type])), {
      aimtrack: 'laravel-app',
      'havun-mcp': 'node-app',
      havunadmin: 'laravel-app',
      havuncore: 'laravel-package',
      herdenkingsportaal: 'laravel-app',
    })
    assert.equal((await stat(place.at('vault.password'))).mode & 0o777, 0o600)
    assert.match(assertDone(await place.bewaar('config', 'check')), /is right: 5 projects, 1 vault/)
    assertDone(await place.bewaar('init'))
    for (const project of ['havun-mcp', 'havuncore']) assertDone(await place.bewaar('run', `--project=${project}`))
  })

  test('writes over nothing: a configuration, a password', async () => {
    await using place = await placeWithApplications()
    await place.write('vault.password', 'mine\n', 0o600)
    assertDone(await place.bewaar('init', './www', '--vault=./vault'))
    assert.equal(await readFile(place.at('vault.password'), 'utf8'), 'mine\n')
    const text = await readFile(place.at('bewaar.yaml'), 'utf8')
    const refused = await place.bewaar('init', './www')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /There is a configuration already/)
    assert.equal(await readFile(place.at('bewaar.yaml'), 'utf8'), text)
    assertDone(await place.bewaar('init', './www', '--vault=./vault', '--config=other.yaml'))
    assert.equal(await readFile(place.at('bewaar.yaml'), 'utf8'), text)
  })

  test('says that there is no configuration where nothing is found', async () => {
    await using place = await emptyPlace()
    await place.write('www/readme.txt', 'nothing')
    const { code, err } = await place.bewaar('init', './www')
    assert.equal(code, 1)
    assert.match(err, /There is no configuration file/)
    assert.ok(!existsSync(place.at('bewaar.yaml')) && !existsSync(place.at('vault.password')))
  })
})

describe('the configuration that init writes', { skip: needs('pg_ctlcluster', 'mariadbd') }, () => {
  let servers: AsyncDisposableStack
  let place: Place
  before(async () => {
    servers = new AsyncDisposableStack()
    place = servers.use(await emptyPlace())
    const postgresql = servers.use(await startPostgresql())
    const mariadb = servers.use(await startMariadb())
    await postgresql.run(`create role aimtrack login password 'a'`)
    await postgresql.run('create database aimtrack owner aimtrack')
    await postgresql.run('set role aimtrack; create table a as select 1 as id', 'aimtrack')
    await mariadb.run('create database havunadmin')
    await mariadb.run("create user havunadmin@'%' identified by 'b'")
    await mariadb.run("grant all on havunadmin.* to havunadmin@'%'")
    await mariadb.run('create table invoices as select 1 as id', 'havunadmin')
    const setEnv = async (name: 'aimtrack' | 'havunadmin', values: Readonly<Record<string, string>>): Promise<void> => {
      const file = `${makeApplication(name, place.at('www'))}/.env`
      let text = await readFile(file, 'utf8')
      for (const [key, value] of Object.entries(values))
        text = text.replace(new RegExp(`^${key}=.*$`, 'm'), `${key}=${value}`)
      await place.write(`www/${name}/.env`, text)
    }
    await setEnv('aimtrack', { DB_URL: `postgresql://aimtrack:a@127.0.0.1:${postgresql.port}/aimtrack` })
    await setEnv('havunadmin', { DB_PORT: String(mariadb.port), DB_PASSWORD: 'b' })
    makeApplication('havun-mcp', place.at('www'))
    makeApplication('havuncore', place.at('www'))
  })
  after(() => servers[Symbol.asyncDispose]())

  test('runs unchanged, databases and all', async () => {
    assertDone(await place.bewaar('init', './www', '--vault=./vault'))
    assertDone(await place.bewaar('init'))
    const reports = JSON.parse(assertDone(await place.bewaar('run', '--json'))) as {
      project: string
      status: string
      artifacts: { path: string }[]
    }[]
    assert.deepEqual(
      reports.map(({ project, status }) => `${project} ${status}`),
      ['aimtrack complete', 'havun-mcp complete', 'havunadmin complete', 'havuncore complete'],
    )
    const paths = reports.flatMap(({ artifacts }) => artifacts.map(({ path }) => path))
    for (const path of ['database/aimtrack.sql', 'database/havunadmin.sql']) assert.ok(paths.includes(path), path)
  })
})
