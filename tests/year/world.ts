import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Secret } from '#base'
import { createLocal, createRepository } from '#engine'
import { cheapKey } from '#engine/testing'
import { MailServer, Receiver } from '#notify/testing'
import { startMariadb, startPostgresql, type MariadbServer, type PostgresqlServer } from '#sandbox'
import { SmallDisk } from '../crash/small-disk.ts'
import { emptyPlace, type Place } from '../e2e/place.ts'
import { applicationNames, makeApplication } from '../fixtures/applications/applications.ts'
import { restartRclone, startRclone } from '../offsite/rest-server.ts'
import { endProcess } from '../remote/sshd.ts'

/** The servers, applications, vaults and people that a daemon works for. */
export interface World extends AsyncDisposable {
  readonly place: Place
  /** What the vault `local` lies on. */
  readonly disk: SmallDisk
  readonly box: StorageBox
  /** What aimtrack and herdenkingsportaal use. */
  readonly postgresql: PostgresqlServer
  readonly mailServer: MailServer
  /** The other channel. */
  readonly receiver: Receiver
}

/** The server of the vault `storage-box`. */
export interface StorageBox {
  readonly url: string
  /** What it serves. */
  readonly folder: string
  /** Ends it at once. */
  stop(): void
  /** Starts it again, at the same place. */
  restart(): Promise<void>
}

const vaultPassword = 'the password of the vaults'
const databasePassword = 'a-password-of-a-year'
const diskMegabytes = 400

/**
 * The example projects, each with the databases and terms of `examples/bewaar.yaml`. All are on this machine, and the vaults
 * are folders and a REST server, because logins by SSH would be most of the time of a year.
 */
export async function makeWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await emptyPlace())
  const [postgresql, mariadb] = await Promise.all([startPostgresql(), startMariadb()])
  stack.use(postgresql)
  stack.use(mariadb)
  const box = await startBox(stack)
  const mailServer = stack.use(await MailServer.start())
  const receiver = stack.use(await Receiver.start())
  const disk = stack.use(await SmallDisk.mount(place.at('disk'), diskMegabytes))
  await fillDatabases(postgresql, mariadb)
  makeApplications(place, postgresql, mariadb)
  await makeRepositories(place, disk, box)
  await place.write('vault.password', vaultPassword, 0o600)
  await place.write('webhook.url', `http://127.0.0.1:${receiver.port}/`, 0o600)
  await place.write('bewaar.yaml', configurationOf(place, box, mailServer))
  const kept = stack.move()
  return {
    place,
    disk,
    box,
    postgresql,
    mailServer,
    receiver,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function startBox(stack: AsyncDisposableStack): Promise<StorageBox> {
  const first = stack.use(await startRclone())
  let { pid } = first
  stack.defer(() => endProcess(pid))
  return {
    url: first.url,
    folder: first.folder,
    stop: () => endProcess(pid),
    restart: async () => {
      pid = (await restartRclone(first)).pid
    },
  }
}

/** Their keys are cheap, because they are opened some ten thousand times. */
async function makeRepositories(place: Place, disk: SmallDisk, box: StorageBox): Promise<void> {
  const password = new Secret(vaultPassword)
  for (const project of applicationNames) {
    const make = async (path: string, polynomial?: bigint): Promise<bigint> => {
      await using backend = await createLocal(path)
      const options = { password, cost: cheapKey, ...(polynomial !== undefined && { polynomial }) }
      await using repository = await createRepository(backend, options)
      return repository.config.chunkerPolynomial
    }
    const polynomial = await make(disk.inside('vault', project))
    const other = project === 'aimtrack' ? place.at('b2', project) : join(box.folder, project)
    await make(other, polynomial)
  }
}

async function fillDatabases(postgresql: PostgresqlServer, mariadb: MariadbServer): Promise<void> {
  for (const name of ['aimtrack', 'herdenkingsportaal']) {
    await postgresql.run(`create role ${name} login password '${databasePassword}'`)
    await postgresql.run(`create database ${name} owner ${name}`)
    await postgresql.run(
      `set role ${name};
       create table people (id serial primary key, name text not null);
       insert into people (name) select 'person ' || n from generate_series(1, 200) n`,
      name,
    )
  }
  await mariadb.run('create database portaal_oud')
  await mariadb.run(`create user oud@'%' identified by '${databasePassword}'`)
  await mariadb.run("grant all on portaal_oud.* to oud@'%'")
  await mariadb.run('create table profiles (id int primary key)', 'portaal_oud')
  await mariadb.run('create database havunadmin')
  await mariadb.run(`create user havunadmin@'%' identified by '${databasePassword}'`)
  await mariadb.run("grant all on havunadmin.* to havunadmin@'%'")
  await mariadb.run(
    `create table invoices (id int primary key auto_increment, amount decimal(10, 2));
     insert into invoices (amount) select seq * 1.5 from seq_1_to_300`,
    'havunadmin',
  )
}

function makeApplications(place: Place, postgresql: PostgresqlServer, mariadb: MariadbServer): void {
  for (const name of applicationNames) makeApplication(name, place.at('www'))
  setEnv(place.at('www/havunadmin'), { DB_PORT: String(mariadb.port), DB_PASSWORD: databasePassword })
  setEnv(place.at('www/herdenkingsportaal'), {
    DB_HOST: `127.0.0.1\nDB_PORT=${postgresql.port}`,
    DB_USERNAME: 'herdenkingsportaal',
    DB_PASSWORD: databasePassword,
    LEGACY_DB_HOST: `127.0.0.1\nLEGACY_DB_PORT=${mariadb.port}`,
    LEGACY_DB_PASSWORD: databasePassword,
  })
  const url = `postgresql://aimtrack:${databasePassword}@127.0.0.1:${postgresql.port}/aimtrack`
  setEnv(place.at('www/aimtrack'), { DB_PASSWORD: databasePassword, DB_URL: `"${url}"` })
}

function setEnv(application: string, values: Readonly<Record<string, string>>): void {
  const file = join(application, '.env')
  let text = readFileSync(file, 'utf8')
  for (const [name, value] of Object.entries(values))
    text = text.replace(new RegExp(`^${name}=.*$`, 'm'), () => `${name}=${value}`)
  writeFileSync(file, text)
}

function configurationOf(place: Place, box: StorageBox, mailServer: MailServer): string {
  const password = `{ file: ${place.at('vault.password')} }`
  return `organisation: Havun
timezone: Europe/Amsterdam
language: nl
serve: { at-once: 6 } # because most of their time is waiting
state: ${place.at('state')}
vaults:
  local:
    location: ${place.at('disk/vault')}
    tier: hot
    password: ${password}
  storage-box:
    location: rest:${box.url}/
    tier: archive
    password: ${password}
    place: { site: Falkenstein, provider: Hetzner, region: EU }
  b2:
    location: ${place.at('b2')}
    tier: archive
    password: ${password}
    place: { site: Amsterdam, provider: Backblaze, region: EU }
projects:
  havunadmin:
    title: HavunAdmin
    type: laravel-app
    path: ${place.at('www/havunadmin')}
    criticality: critical
    schedule: daily 03:00
    vault: local
    copies: [{ to: storage-box }]
    keep:
      local: { within: 30 days }
      storage-box: { for: 7 years, prune: never }
  herdenkingsportaal:
    title: Herdenkingsportaal
    type: laravel-app
    path: ${place.at('www/herdenkingsportaal')}
    criticality: critical
    schedule: daily 04:00
    vault: local
    copies: [{ to: storage-box }]
    keep:
      local: { within: 30 days }
      storage-box: { for: 7 years, prune: never }
  havuncore:
    title: HavunCore
    type: laravel-package
    path: ${place.at('www/havuncore')}
    criticality: high
    schedule: weekly sunday 05:00
    vault: local
    copies: [{ to: storage-box }]
    keep:
      local: { within: 30 days }
      storage-box: { for: 3 years }
  havun-mcp:
    type: node-app
    path: ${place.at('www/havun-mcp')}
    criticality: medium
    schedule: weekly sunday 06:00
    vault: local
    copies: [{ to: storage-box }]
    keep:
      local: { within: 30 days }
      storage-box: { for: 1 year }
  aimtrack:
    title: AimTrack
    type: laravel-app
    path: ${place.at('www/aimtrack')}
    criticality: high
    schedule: daily 02:30
    databases: [{ driver: postgresql, format: custom }]
    vault: local
    copies: [{ to: b2, schedule: weekly sunday 06:00 }]
    keep:
      local: { daily: 7, weekly: 4, monthly: 3 }
      b2: { for: 7 years, prune: never }
notify:
  mail:
    smtp: smtp://127.0.0.1:${mailServer.port}
    from: bewaar@example.org
    to: [beheer@example.org]
  webhook: { url: { file: ${place.at('webhook.url')} }, allow-private: true }
  digest: daily 07:00
`
}
