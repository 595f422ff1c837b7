import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

import { composeServices } from '#app'
import { Secret, systemClock } from '#base'
import { archive, openLocal, openRepository, performRestore, planRestore, unquoteName } from '#engine'
import { decodeManifest, encodeManifest, getProject, type Manifest } from '#model'
import { startMariadb, startPostgresql, type MariadbServer, type PostgresqlServer } from '#sandbox'
import { initialise, runProject, testProject, type RestoreTestReport, type Services } from '#usecases'

const password = 'the password of the vault'

/** What is planted into the files of a snapshot, as they lie in a folder. */
export type Plant = (folder: Planting) => void | Promise<void>

export interface Planting {
  readonly folder: string
  /** Replaces text of the dump, or of another file; it must be there. */
  readonly change: (from: string | RegExp, to: string, file?: string) => Promise<void>
  /** Writes another text in the place of a file. */
  readonly write: (file: string, text: string | Uint8Array) => Promise<void>
  readonly read: (file: string) => Promise<string>
  readonly remove: (file: string) => Promise<void>
}

/** A shop whose database is on a real server, backed up into a real vault. */
export class Shop implements AsyncDisposable {
  readonly folder: string
  readonly services: Services
  readonly dump: string
  readonly #resources: AsyncDisposableStack

  constructor(folder: string, services: Services, dump: string, resources: AsyncDisposableStack) {
    this.folder = folder
    this.services = services
    this.dump = dump
    this.#resources = resources
  }

  /** Backs the shop up. @returns the snapshot. */
  async run(): Promise<string> {
    const { snapshot, findings } = await runProject(
      this.services,
      { project: this.project },
      new AbortController().signal,
    )
    if (snapshot === undefined) throw new Error(findings.map(({ text }) => text).join('; '))
    return snapshot
  }

  get project(): Services['configuration']['projects'][number] {
    return getProject(this.services.configuration, 'shop')
  }

  async test(snapshot: string): Promise<RestoreTestReport> {
    const request = { project: this.project, wanted: { kind: 'snapshot', id: snapshot } } as const
    return await testProject(this.services, request, new AbortController().signal)
  }

  /**
   * Makes a snapshot that is like another one but for what is planted. Its manifest gives the sizes and sums of what is in it, so that
   * only questions to the data can find what is wrong.
   */
  async plant(snapshot: string, plant: Plant): Promise<string> {
    const folder = await mkdtemp(join(this.folder, 'planted-'))
    await using backend = await openLocal(join(this.folder, 'vault', 'shop'))
    await using repository = await openRepository(backend, { password: new Secret(password), clock: systemClock })
    await repository.loadReadableIndex()
    const { snapshot: stored } = await repository.findSnapshot(snapshot)
    await performRestore(repository, await planRestore(repository, { tree: stored.tree, target: folder }))
    await plant(this.#planting(folder))
    const manifest = decodeManifest(await readFile(join(folder, 'manifest.json'), 'utf8'))
    await writeFile(join(folder, 'manifest.json'), encodeManifest(fitting(manifest, folder)))
    const made = await archive(repository, {
      parts: [{ kind: 'folder', at: '', path: folder }],
      timeNs: BigInt(systemClock.now()) * 1_000_000n,
      paths: [folder],
      hostname: 'test',
      tags: stored.tags ?? [],
    })
    await rm(folder, { recursive: true })
    return made.snapshot
  }

  #planting(folder: string): Planting {
    const at = (file: string): string => join(folder, file)
    return {
      folder,
      change: async (from, to, file = this.dump) => {
        const text = await readFile(at(file), 'latin1')
        const changed = text.replace(from, () => to)
        if (changed === text) throw new Error(`${String(from)} is not in ${file}`)
        await writeFile(at(file), changed, 'latin1')
      },
      write: async (file, text) => {
        await mkdir(dirname(at(file)), { recursive: true })
        await writeFile(at(file), text)
      },
      read: (file) => readFile(at(file), 'latin1'),
      remove: (file) => rm(at(file)),
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}

/** The manifest of what lies in a folder: its rows and facts are those of before. */
function fitting(manifest: Manifest, folder: string): Manifest {
  const artifacts = manifest.artifacts.map((artifact) => {
    try {
      const bytes = readFileSync(Buffer.concat([Buffer.from(`${folder}/`), unquoteName(artifact.path)]))
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      return { ...artifact, bytes: bytes.length, ...(artifact.sha256 !== undefined && { sha256 }) }
    } catch {
      return artifact
    }
  })
  return { ...manifest, artifacts }
}

/** @param schema - makes the database `shop`, and fills it. */
export async function postgresqlShop(schema: string, testing: string, format = 'plain'): Promise<Shop> {
  await using resources = new AsyncDisposableStack()
  const server = resources.use(await startPostgresql())
  await fillPostgresql(server, schema)
  const database = `{ driver: postgresql, name: shop, socket: ${server.socketFolder}, port: ${server.port}, user: ${server.superuser}, format: ${format} }`
  return await makeShop(
    database,
    testing,
    format === 'plain' ? 'database/shop.sql' : 'database/shop.dump',
    resources.move(),
  )
}

async function fillPostgresql(server: PostgresqlServer, schema: string): Promise<void> {
  await server.run('create role shopkeeper login; create role reader')
  await server.run('create database shop owner shopkeeper')
  await server.run(schema, 'shop')
}

/** A shop whose database is a file. */
export async function sqliteShop(testing: string): Promise<Shop> {
  const database = '{ driver: sqlite, path: data/shop.sqlite }'
  const shop = await makeShop(database, testing, 'files/data/shop.sqlite', new AsyncDisposableStack())
  await mkdir(join(shop.folder, 'shop/data'))
  using file = new DatabaseSync(join(shop.folder, 'shop/data/shop.sqlite'))
  file.exec(`create table product (id integer primary key, name text, picture text);
    create table line (product int references product, amount int);
    insert into product values (1, 'hammer', '1.jpg'), (2, 'nail', '2.jpg');
    insert into line values (1, 10), (2, 20), (2, 30)`)
  return shop
}

export async function mariadbShop(schema: string, testing: string): Promise<Shop> {
  await using resources = new AsyncDisposableStack()
  const server = resources.use(await startMariadb())
  await fillMariadb(server, schema)
  const database = `{ driver: mariadb, name: shop, socket: ${server.socket}, user: ${server.superuser} }`
  return await makeShop(database, testing, 'database/shop.sql', resources.move())
}

async function fillMariadb(server: MariadbServer, schema: string): Promise<void> {
  await server.run(`create database shop character set utf8mb4 collate utf8mb4_unicode_ci;
    create user shopkeeper@localhost identified by 'x'; grant all on shop.* to shopkeeper@localhost`)
  await server.run(schema, 'shop')
}

async function makeShop(database: string, testing: string, dump: string, given: AsyncDisposableStack): Promise<Shop> {
  await using resources = given
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-restore-tests-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  const write = async (name: string, text: string | Uint8Array, mode = 0o644): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text, { mode })
  }
  await write('password', `${password}\n`, 0o600)
  await write('shop/.env', 'SECRET=1\n', 0o600)
  await write('shop/index.php', shopPage)
  for (let nth = 1; nth <= 20; nth++) await write(`shop/uploads/${nth}.jpg`, `a picture of product ${nth}`)
  await write(
    'bewaar.yaml',
    `timezone: Europe/Amsterdam
state: ./state
vaults: { local: { location: ./vault, password: { file: ./password } } }
projects:
  shop:
    type: generic
    path: ./shop
    schedule: daily 03:00
    databases: [${database}]
    restore-test:
${testing.replace(/^/gm, '      ')}
`,
  )
  const commands = composeServices({ config: join(folder, 'bewaar.yaml'), json: false, quiet: true, verbose: false })
  const opened = resources.use(
    await commands.open(await commands.loadConfiguration(), { progress: () => {}, warn: () => {} }),
  )
  await initialise(opened.services, opened.services.configuration.projects)
  return new Shop(folder, opened.services, dump, resources.move())
}

/** The smallest application that reads its database, with the program of the server because PHP may lack the driver. */
const shopPage = `<?php
$question = 'select count(*) from product';
passthru(getenv('DB_CONNECTION') === 'pgsql'
  ? "psql -XAtc '$question'"
  : "mariadb --no-defaults -N -u root -S " . getenv('DB_SOCKET') . " -e '$question' shop");
echo 'products';
`
