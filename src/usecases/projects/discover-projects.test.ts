import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { localHost } from '#sources'
import { temporaryFolder } from '#sources/testing'
import { applicationNames, makeApplication } from '../../../tests/fixtures/applications/applications.ts'
import { discoverProjects, type FoundProject } from './discover-projects.ts'
import { writeConfiguration } from './propose-configuration.ts'

const here = localHost('/tmp')

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

const node = '{ "name": "x", "scripts": { "start": "node ." }, "dependencies": { "a": "1" } }'

test('the applications of a web root are found, each with its type, databases and a proposal', async () => {
  await using folder = await temporaryFolder()
  for (const name of applicationNames) makeApplication(name, folder.path)
  write(folder.path, { 'static/index.html': 'x', 'notes.txt': 'x' })
  const found = await discoverProjects(here, [folder.path])
  assert.deepEqual(
    found.map((project) => ({ ...project, path: project.path.slice(folder.path.length), reasons: undefined })),
    [
      {
        path: '/aimtrack',
        name: 'aimtrack',
        type: 'laravel-app',
        databases: ['PostgreSQL aimtrack'],
        troubles: [],
        criticality: 'high',
        reasons: undefined,
        schedule: 'daily 03:00',
      },
      {
        path: '/havun-mcp',
        name: 'havun-mcp',
        type: 'node-app',
        databases: ['JSON clients.json', 'JSON messages.json'],
        troubles: [],
        criticality: 'medium',
        reasons: undefined,
        schedule: 'daily 03:10',
      },
      {
        path: '/havunadmin',
        name: 'havunadmin',
        type: 'laravel-app',
        databases: ['MySQL havunadmin'],
        troubles: [],
        criticality: 'high',
        reasons: undefined,
        schedule: 'daily 03:20',
      },
      {
        path: '/havuncore',
        name: 'havuncore',
        type: 'laravel-package',
        databases: ['JSON vault/secrets.json'],
        troubles: [],
        criticality: 'medium',
        reasons: undefined,
        schedule: 'daily 03:30',
      },
      {
        path: '/herdenkingsportaal',
        name: 'herdenkingsportaal',
        type: 'laravel-app',
        databases: ['PostgreSQL herdenkingsportaal', 'MySQL portaal_oud', 'JSON storage/app/messages.json'],
        troubles: [],
        criticality: 'high',
        reasons: undefined,
        schedule: 'daily 03:40',
      },
    ],
  )
  assert.ok(found.every(({ reasons }) => reasons.length > 1))
})

test('projects in projects, in what tools made and too far down are not looked for', async () => {
  await using folder = await temporaryFolder()
  write(folder.path, {
    'sites/Shop/package.json': node,
    'sites/Shop/packages/inner/package.json': node,
    'node_modules/a/package.json': node,
    'vendor/a/package.json': node,
    '.cache/a/package.json': node,
    'a/b/c/package.json': node,
    'a/b/c2/d/package.json': node,
  })
  const found = await discoverProjects(here, [folder.path])
  assert.deepEqual(
    found.map(({ path }) => path.slice(folder.path.length)),
    ['/a/b/c', '/sites/Shop'],
  )
  assert.equal(found[1]!.name, 'shop')
})

test('names are valid and none twice', async () => {
  await using folder = await temporaryFolder()
  const folders = [
    'Shop',
    'shop_',
    'shop.example.org/public_html',
    'a/html',
    'bewaar',
    '___',
    'é',
    'x'.repeat(80),
    'ünï',
  ]
  write(folder.path, Object.fromEntries(folders.map((name) => [`${name}/package.json`, node])))
  const names = (await discoverProjects(here, [folder.path])).map(({ name }) => name)
  assert.equal(new Set(names).size, folders.length)
  for (const name of names) assert.match(name, /^[a-z0-9][a-z0-9-]{0,62}$/)
  for (const name of ['shop', 'shop-2', 'shop-example-org', 'a', 'bewaar-2', 'project'])
    assert.ok(names.includes(name), name)
})

test('a deployment is found by its link `current`, and none of its releases', async () => {
  await using folder = await temporaryFolder()
  const site = join(folder.path, 'portal')
  mkdirSync(join(site, 'releases'), { recursive: true })
  for (const release of ['1', '2']) {
    const path = makeApplication('aimtrack', join(site, 'releases'))
    renameSync(path, join(site, 'releases', release))
  }
  symlinkSync('releases/2', join(site, 'current'))
  const found = await discoverProjects(here, [folder.path])
  assert.deepEqual(
    found.map(({ name, path }) => [name, path]),
    [['portal', join(site, 'current')]],
  )
})

test('Bewaar itself is no project, and a folder that is not there holds none', async () => {
  await using folder = await temporaryFolder()
  write(folder.path, { 'bewaar/package.json': '{\n  "name": "bewaar",\n  "scripts": { "start": "x" }\n}\n' })
  assert.deepEqual(await discoverProjects(here, [folder.path, '/nowhere/at/all']), [])
})

test('what keeps a run from being whole is said in the proposal', async () => {
  await using folder = await temporaryFolder()
  const path = makeApplication('aimtrack', folder.path)
  write(path, { '.env': 'DB_CONNECTION=oracle\n' })
  const [project] = await discoverProjects(here, [folder.path])
  assert.equal(project!.troubles.length, 1)
  const text = writeConfiguration([project!], { vault: '/var/backups/bewaar', passwordFile: './vault.password' })
  assert.match(text, /^ {2}# To be mended: .*default connection oracle is not known/m)
})

test('the configuration is the same text each time, and comments explain it', () => {
  const project: FoundProject = {
    path: '/var/www/shop',
    name: 'shop',
    type: 'laravel-app',
    reasons: ['artisan', 'composer.json requires laravel/framework ^12.0'],
    databases: ['PostgreSQL shop'],
    troubles: [],
    criticality: 'high',
    schedule: 'daily 03:00',
  }
  const options = { vault: '/var/backups/bewaar', passwordFile: '/etc/bewaar/vault.password', language: 'nl' } as const
  const text = writeConfiguration([project], { ...options, on: 'ssh://backup@web2.example.org' })
  assert.equal(text, writeConfiguration([project], { ...options, on: 'ssh://backup@web2.example.org' }))
  assert.ok(
    text.endsWith(`projects:
  # laravel-app, because of: artisan, composer.json requires laravel/framework ^12.0
  # Databases: PostgreSQL shop
  shop:
    type: laravel-app
    path: /var/www/shop
    on: ssh://backup@web2.example.org
    criticality: high        # critical, high, medium or low
    schedule: daily 03:00
    # files: [storage/app]      # only these, and the databases; without it, all that the type knows
    # keep: { local: { within: 30 days } }
`),
  )
})
