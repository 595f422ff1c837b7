import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { localHost } from '#sources'
import { proposeConfiguration } from '#usecases'
import { applicationNames, makeApplication } from '../fixtures/applications/applications.ts'
import { emptyPlace } from './place.ts'

const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

interface Understood {
  readonly projects: Readonly<
    Record<string, { readonly path: string; readonly type: string; readonly schedule: string }>
  >
}

test('the configuration that is proposed for the found applications is accepted as it is', async () => {
  await using place = await emptyPlace()
  mkdirSync(place.at('www'))
  for (const name of applicationNames) makeApplication(name, place.at('www'))
  const options = { vault: place.at('vault'), passwordFile: './vault.password', language: 'nl' } as const
  const { projects, text } = await proposeConfiguration(localHost(place.at('tmp')), [place.at('www')], options)
  await place.write('bewaar.yaml', text)
  const checked = await place.bewaar('config', 'check')
  assert.deepEqual([checked.code, checked.err], [0, ''])
  const understood = JSON.parse((await place.bewaar('config', '--json')).out) as Understood
  assert.deepEqual(
    Object.entries(understood.projects).map(([name, { path, type, schedule }]) => ({ name, path, type, schedule })),
    projects.map(({ name, path, type, schedule }) => ({ name, path, type, schedule })),
  )
})

test('odd names of folders do no harm to the proposed configuration', async () => {
  await using place = await emptyPlace()
  const folders = [
    '${HOME}',
    'a: b # c',
    'new\nline: x',
    'it\'s "quoted"',
    '\u2028é 😀',
    '- list',
    '\\back\tslash',
    'null',
  ]
  for (const folder of folders) {
    mkdirSync(join(place.path, 'www', folder), { recursive: true })
    writeFileSync(join(place.path, 'www', folder, 'package.json'), '{ "scripts": { "start": "node ." } }')
  }
  const options = { vault: '/var/backups/bewaar', passwordFile: './vault.password' }
  const { text } = await proposeConfiguration(localHost(place.at('tmp')), [place.at('www')], options)
  await place.write('bewaar.yaml', text)
  const { out, err } = await place.bewaar('config', '--json')
  assert.equal(err, '')
  const paths = Object.values((JSON.parse(out) as Understood).projects).map(({ path }) => path)
  assert.deepEqual(paths.sort(), folders.map((folder) => join(place.path, 'www', folder)).sort())
})

test('a machine without projects gets a configuration to begin with', async () => {
  await using place = await emptyPlace()
  const options = { vault: '/var/backups/bewaar', passwordFile: './vault.password', timezone: 'Europe/Amsterdam' }
  const { projects, text } = await proposeConfiguration(localHost(place.at('tmp')), [place.at('www')], options)
  assert.deepEqual(projects, [])
  await place.write('bewaar.yaml', text)
  assert.equal((await place.bewaar('config', 'check')).code, 0)
})

test('the examples are accepted', async () => {
  await using place = await emptyPlace()
  await cp(examples, place.path, { recursive: true })
  const env = { SMTP_PASSWORD: 'c', SLACK_WEBHOOK: 'https://hooks.example.org/x' }
  const checked = await place.start(['config', 'check'], { env }).ended
  assert.deepEqual([checked.code, checked.err], [0, ''])
  const { out } = await place.start(['config', '--json'], { env }).ended
  assert.deepEqual(Object.keys((JSON.parse(out) as Understood).projects), [
    'havunadmin',
    'herdenkingsportaal',
    'havuncore',
    'havun-mcp',
    'aimtrack',
  ])
  assert.match(await readFile(place.at('bewaar.yaml'), 'utf8'), /^#/)
})
