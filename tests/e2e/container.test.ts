import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

import { startPostgresql } from '#sandbox'
import { needs } from '../needs.ts'
import { emptyPlace } from './place.ts'

/** No Docker engine is here: this writes down how it was called, and then runs the program as a container would. */
const standIn = `#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/docker-calls"
[ "$1" = exec ] && shift
while :; do
  case "$1" in
    -i) shift ;;
    -w) cd "$2" && shift 2 ;;
    -e) export "$2" && shift 2 ;;
    *) break ;;
  esac
done
shift
exec "$@"
`

test(
  'a project whose database is in a container is dumped by the program in it',
  { skip: needs('pg_ctlcluster') },
  async () => {
    await using place = await emptyPlace()
    await using server = await startPostgresql()
    await server.run(`create role shop login password 'canary-in-a-container'`)
    await server.run('create database shop owner shop')
    await server.run('set role shop; create table orders as select n as id from generate_series(1, 321) n', 'shop')
    await place.write('bin/docker', standIn, 0o755)
    await place.write('volumes/shop/package.json', '{ "name": "shop", "scripts": { "start": "node ." } }')
    await place.write('volumes/shop/uploads/1.txt', 'one')
    const url = `postgresql://shop:canary-in-a-container@127.0.0.1:${server.port}/shop`
    await place.write('volumes/shop/.env', `DATABASE_URL="${url}"\n`, 0o600)
    await place.write('password', 'of the vault', 0o600)
    await place.write(
      'bewaar.yaml',
      `state: ./state
vaults: { hot: { location: ./hot, password: { file: ./password } } }
projects:
  shop: { type: node-app, path: ./volumes/shop, on: 'docker://shop-db', schedule: daily 03:00 }
`,
    )
    const bewaar = (...args: string[]) =>
      place.start(args, { env: { PATH: `${place.at('bin')}:${process.env['PATH']}` } }).ended
    const made = await bewaar('init')
    assert.equal(made.code, 0, made.err)
    const { code, out, err } = await bewaar('run', '--json')
    assert.equal(code, 0, out + err)
    const [report] = JSON.parse(out) as { artifacts: { path: string; rows?: Record<string, number> }[] }[]
    const dump = report!.artifacts.find(({ path }) => path === 'database/shop.sql')
    assert.deepEqual(Object.values(dump?.rows ?? {}), [321])
    const calls = await readFile(place.at('home', 'docker-calls'), 'utf8')
    assert.match(calls, /^exec -i .*shop-db .*pg_dump/m)
    assert.doesNotMatch(calls, /canary/)
  },
)
