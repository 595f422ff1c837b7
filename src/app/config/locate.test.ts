import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { configurationSchema } from './json-schema.ts'
import { locateConfiguration } from './locate.ts'

const folder = await mkdtemp(join(tmpdir(), 'locate-'))
after(() => rm(folder, { recursive: true }))

const workingFolder = join(folder, 'work')
const home = join(folder, 'home')
for (const name of ['work', 'home/.config/bewaar', 'xdg/bewaar']) await mkdir(join(folder, name), { recursive: true })
const places = {
  given: join(folder, 'given.yaml'),
  named: join(folder, 'named.yaml'),
  working: join(workingFolder, 'bewaar.yaml'),
  xdg: join(folder, 'xdg/bewaar/bewaar.yaml'),
  home: join(home, '.config/bewaar/bewaar.yaml'),
}

test('the first place that applies is taken: given, named, here, XDG, home', async () => {
  for (const file of Object.values(places)) await writeFile(file, '')
  const xdg = { XDG_CONFIG_HOME: join(folder, 'xdg') }
  const named = { ...xdg, BEWAAR_CONFIG: '../named.yaml' }
  const locate = (given: string | undefined, environment: Record<string, string>): Promise<string> =>
    locateConfiguration(given, { environment, workingFolder, home })

  assert.equal(await locate('../given.yaml', named), places.given)
  assert.equal(await locate(undefined, named), places.named)
  assert.equal(await locate(undefined, { ...xdg, BEWAAR_CONFIG: '' }), places.working)
  await rm(places.working)
  assert.equal(await locate(undefined, xdg), places.xdg)
  assert.equal(await locate(undefined, {}), places.home)
  await rm(places.xdg)
  assert.notEqual(await locate(undefined, xdg).catch(() => ''), places.home)
  await assert.rejects(locate('none.yaml', named), { code: 'config.missing', kind: 'missing' })
  await assert.rejects(locate(undefined, { BEWAAR_CONFIG: 'none' }), { message: /BEWAAR_CONFIG names/ })
})

test('the schema for editors knows every key, refuses others, and has examples', () => {
  const schema = JSON.parse(JSON.stringify(configurationSchema())) as {
    additionalProperties: boolean
    required: string[]
    properties: {
      projects: { additionalProperties: { additionalProperties: boolean; properties: Record<string, object> } }
    }
  }
  const project = schema.properties.projects.additionalProperties
  assert.deepEqual([schema.additionalProperties, project.additionalProperties], [false, false])
  assert.deepEqual(schema.required, ['vaults'])
  assert.deepEqual(Object.keys(project.properties).slice(0, 6), [
    'title',
    'type',
    'path',
    'on',
    'criticality',
    'schedule',
  ])
  assert.match(JSON.stringify(project.properties['schedule']), /"examples":\["daily 03:00"\]/)
})
