import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { runProgram } from '#base'
import { startMariadb, startPostgresql } from '#sandbox'
import { dumpSources, localHost } from '#sources'
import { drainParts, recordingContext, temporaryFolder } from '#sources/testing'
import { getStrategy, restoreFactsOf, restoreInstructions } from '#strategies'
import { makeApplication } from '../fixtures/applications/applications.ts'
import { needs } from '../needs.ts'

/** The commands below one heading of the instructions. */
function commandsBelow(heading: string, text: string): string {
  const section = text.slice(text.indexOf(`\n## ${heading}`))
  return /```sh\n([\s\S]*?)```/.exec(section)![1]!
}

test(
  'the commands of the instructions bring databases back on empty servers, with stock clients',
  { skip: needs('pg_ctlcluster', 'mariadbd') },
  async () => {
    await using folder = await temporaryFolder()
    await using postgresql = await startPostgresql()
    await using mariadb = await startMariadb()
    await postgresql.run(`create role portaal login password 'fixture $password'; create role readers`)
    await postgresql.run('create database herdenkingsportaal owner portaal')
    await postgresql.run(
      `set role portaal; create table monument (id int primary key, name text);
       insert into monument select n, 'it''s ' || n from generate_series(1, 300) n; grant select on monument to readers`,
      'herdenkingsportaal',
    )
    await mariadb.run('create database portaal_oud character set utf8mb4')
    await mariadb.run("create user oud@'%' identified by 'fixture-oud'")
    await mariadb.run("grant all on portaal_oud.* to oud@'%'")
    await mariadb.run(
      "create table profile as select seq as id, concat('é😀 ', seq) as name from seq_1_to_200",
      'portaal_oud',
    )

    const path = makeApplication('herdenkingsportaal', folder.path)
    const env = readFileSync(join(path, '.env'), 'utf8')
      .replace('DB_HOST=/run/postgresql', `DB_HOST=127.0.0.1\nDB_PORT=${postgresql.port}`)
      .replace('LEGACY_DB_HOST=localhost', `LEGACY_DB_HOST=127.0.0.1\nLEGACY_DB_PORT=${mariadb.port}`)
    writeFileSync(join(path, '.env'), env)

    const plan = await getStrategy('laravel-app').plan({ path, leaveOut: [] }, localHost(folder.path))
    const parts = await dumpSources(path, plan.sources, recordingContext(folder.path))
    const restored = join(folder.path, 'restored')
    for (const [name, bytes] of await drainParts(parts.filter(({ at }) => at.startsWith('database/')))) {
      mkdirSync(dirname(join(restored, name)), { recursive: true })
      writeFileSync(join(restored, name), bytes)
    }
    const facts = restoreFactsOf({ name: 'portaal', title: 'Portaal', path }, plan, parts)
    const instructions = restoreInstructions({ ...facts, language: 'en', repositories: [] })

    await using newPostgresql = await startPostgresql()
    await using newMariadb = await startMariadb()
    // Who is root on a machine with a server of its own needs neither of these two.
    mkdirSync(join(folder.path, 'bin'))
    writeFileSync(join(folder.path, 'bin/sudo'), '#!/bin/sh\nshift 2\nexec "$@"\n', { mode: 0o755 })
    writeFileSync(join(folder.path, '.my.cnf'), `[client]\nuser=root\nsocket=${newMariadb.socket}\n`)
    const environment = {
      PATH: [join(folder.path, 'bin'), newPostgresql.programFolder, process.env['PATH']].join(':'),
      HOME: folder.path,
      PGHOST: newPostgresql.socketFolder,
      PGPORT: String(newPostgresql.port),
      PGUSER: 'postgres',
    }
    for (const heading of ['PostgreSQL', 'MariaDB and MySQL']) {
      const commands = commandsBelow(heading, instructions).replaceAll('/tmp/restored', restored)
      await runProgram('bash', ['-e', '-c', commands], { env: environment })
    }

    const rows = `select count(*), md5(string_agg(m::text, ',' order by id)) from monument m`
    assert.equal(await newPostgresql.run(rows, 'herdenkingsportaal'), await postgresql.run(rows, 'herdenkingsportaal'))
    const owner =
      "select tableowner, has_table_privilege('readers', 'monument', 'select') from pg_tables where tablename = 'monument'"
    assert.equal(
      await newPostgresql.run(owner, 'herdenkingsportaal'),
      await postgresql.run(owner, 'herdenkingsportaal'),
    )
    const sums = 'checksum table profile'
    assert.equal(await newMariadb.run(sums, 'portaal_oud'), await mariadb.run(sums, 'portaal_oud'))
    assert.match(await newMariadb.run("show grants for oud@'%'"), /portaal_oud/)
  },
)
