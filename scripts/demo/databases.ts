import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { isMariadbInstalled, isPostgresqlInstalled, startMariadb, startPostgresql } from '#sandbox'
import { heading, say } from './shell.ts'
import type { Stage } from './stage.ts'

/** A server of the demo, with a database of a web shop in it. */
interface Shop extends AsyncDisposable {
  readonly project: string
  readonly server: string
  /** Lines of the application's `.env`. */
  readonly settings: Readonly<Record<string, string | number>>
  /** The rows of each table and a hash over all of them. */
  rows(database: string): Promise<string>
  /** Loads the dump at `file` into a new database, by the server's own client. */
  load(stage: Stage, file: string, database: string): Promise<void>
}

const customers = 20_000
const orders = 60_000
const fresh = 'restored'

/** Backs up Laravel applications with real servers behind them, when the programs of the servers are on this machine. */
export async function backUpDatabases(stage: Stage): Promise<void> {
  heading('Laravel applications, with real database servers')
  const starts = [isPostgresqlInstalled() && postgresqlShop, isMariadbInstalled() && mariadbShop].filter(
    (start) => start !== false,
  )
  if (starts.length === 0)
    return say('\n  Neither PostgreSQL nor MariaDB is on this machine; with them, they would be here.')
  await using servers = new AsyncDisposableStack()
  const shops: Shop[] = []
  for (const start of starts) shops.push(servers.use(await start()))
  for (const shop of shops) makeApplication(stage.folder, shop)
  writeConfiguration(stage.folder, shops)
  say(
    `\n  Each has ${(customers + orders).toLocaleString('en')} rows. Of a database the configuration says not a word:`,
  )
  say('  everything is read from the application itself.')
  const config = '--config=laravel.yaml'
  await stage.bewaar(['init', config], 'repositories')
  await stage.bewaar(['run', config], `${shops.map(({ server }) => server).join(' and ')}, streamed and counted`)
  await stage.bewaar(['verify', '--share=100%', config], 'every byte is sound')
  for (const shop of shops) {
    const { project, server } = shop
    await stage.bewaar(['restore', `--project=${project}`, `--to=restored/${project}`, config], 'into a folder')
    await shop.load(stage, join('restored', project, 'database', `${project}.sql`), fresh)
    const [before, after] = [await shop.rows(project), await shop.rows(fresh)]
    stage.compare(
      `${project}, loaded again`,
      `${(customers + orders).toLocaleString('en')} rows in ${server}, row for row`,
      before === after ? [] : [`${after}, and it must be ${before}`],
    )
  }
}

async function postgresqlShop(): Promise<Shop> {
  const server = await startPostgresql()
  const project = 'webshop-pg'
  await server.run(`create role webshop login password 'demo'`)
  await server.run(`create database "${project}" owner webshop`)
  await server.run(
    `set role webshop;
     create table customers (id int primary key, name text not null, since date);
     insert into customers select n, 'customer ' || n, date '2020-01-01' + n % 1000 from generate_series(1, ${customers}) n;
     create table orders (id int primary key, customer int not null references customers, cents int, note text);
     insert into orders select n, 1 + n % ${customers}, n * 7 % 9999, md5(n::text) from generate_series(1, ${orders}) n`,
    project,
  )
  const hash = (table: string): string =>
    `select '${table}', count(*), md5(string_agg(t::text, ',' order by id)) from ${table} t`
  const connection = ['--host', server.socketFolder, '--port', String(server.port), '--username', 'postgres']
  return {
    project,
    server: `PostgreSQL ${server.version}`,
    settings: {
      DB_CONNECTION: 'pgsql',
      DB_HOST: '127.0.0.1',
      DB_PORT: server.port,
      DB_DATABASE: project,
      DB_USERNAME: 'webshop',
      DB_PASSWORD: 'demo',
    },
    rows: (database) => server.run(`${hash('customers')} union all ${hash('orders')}`, database),
    load: async (stage, file, database) => {
      await server.run(`create database ${database} owner webshop`)
      const strict = ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--single-transaction']
      const args = [...strict, ...connection, '--dbname', database, '--file', file]
      await stage.other(join(server.programFolder, 'psql'), args, {}, 'loaded by stock psql')
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function mariadbShop(): Promise<Shop> {
  const server = await startMariadb()
  const project = 'webshop-maria'
  await server.run(`create database \`${project}\``)
  await server.run(`create user webshop@'%' identified by 'demo'`)
  await server.run(`grant all on \`${project}\`.* to webshop@'%'`)
  await server.run(
    `create table customers (id int primary key, name varchar(80) not null, since date);
     insert into customers select seq, concat('customer ', seq), date '2020-01-01' + interval seq % 1000 day from seq_1_to_${customers};
     create table orders (id int primary key, customer int not null references customers (id), cents int, note char(32));
     insert into orders select seq, 1 + seq % ${customers}, seq * 7 % 9999, md5(seq) from seq_1_to_${orders}`,
    project,
  )
  return {
    project,
    server: `MariaDB ${server.version}`,
    settings: {
      DB_CONNECTION: 'mariadb',
      DB_HOST: '127.0.0.1',
      DB_PORT: server.port,
      DB_DATABASE: project,
      DB_USERNAME: 'webshop',
      DB_PASSWORD: 'demo',
    },
    rows: async (database) => {
      const counts = 'select (select count(*) from customers), (select count(*) from orders)'
      const sums = await server.run('checksum table customers, orders extended', database)
      return (await server.run(counts, database)) + (sums.match(/\t\d+/g) ?? []).join()
    },
    load: async (stage, file, database) => {
      await server.run(`create database ${database}`)
      const args = [
        '--no-defaults',
        '--socket',
        server.socket,
        '--user',
        'root',
        database,
        '--execute',
        `source ${file}`,
      ]
      await stage.other('mariadb', args, {}, 'loaded by the stock client')
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** A Laravel application, as far as a backup sees it. */
function makeApplication(folder: string, { project, settings }: Shop): void {
  const lines = { APP_NAME: project, APP_ENV: 'production', APP_KEY: 'base64:ZGVtbw==', ...settings }
  const files: Readonly<Record<string, string>> = {
    artisan: '#!/usr/bin/env php\n<?php\n',
    'composer.json': '{ "name": "demo/webshop", "require": { "laravel/framework": "^12.0" } }\n',
    'bootstrap/app.php': '<?php\n',
    'vendor/autoload.php': '<?php // made again by composer, so it stays out of the backup\n',
    'storage/app/public/products/1.jpg': 'a picture of a product',
    'storage/logs/laravel.log': 'stays out\n',
    '.env': Object.entries(lines)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  }
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, 'projects', project, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: name === '.env' ? 0o600 : 0o644 })
  }
}

function writeConfiguration(folder: string, shops: readonly Shop[]): void {
  const projects = shops.map(
    ({ project }) => `  ${project}:
    type: laravel-app
    path: ./projects/${project}
    schedule: daily 03:00
`,
  )
  const text = `state: ./state-laravel

vaults:
  hot:
    location: ./vaults/laravel
    password: { file: ./vault.password }

projects:
${projects.join('')}`
  writeFileSync(join(folder, 'laravel.yaml'), text)
}
