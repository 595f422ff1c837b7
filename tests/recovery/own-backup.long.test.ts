import assert from 'node:assert/strict'
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'

import { catalogPlace, ownProject } from '#model'
import { backUpOwn, watch } from '#usecases'
import { backedUpScene, configuration, password, type Scene } from './scene.ts'

const dayMs = 24 * 60 * 60 * 1000

suite('Bewaar itself', () => {
  let template: Scene
  before(async () => {
    template = await backedUpScene()
  })
  after(() => template?.[Symbol.asyncDispose]())

  test('is made anew from what lies in a vault that holds no backup of it', async () => {
    await using scene = await template.copy()
    await rm(scene.at('hot', ownProject), { recursive: true })
    await using prepared = await scene.recovery('hot')
    assert.equal(prepared.preview.backup, undefined)
    await prepared.perform(scene.signal)
    const projects = await scene.use(async (services) => services.configuration.projects, 'etc/bewaar.yaml')
    assert.deepEqual(
      projects.map(({ name, type, path }) => [name, type, path]),
      [
        ['notes', 'generic', template.at('bewaar.d/notes')],
        ['shop', 'generic', template.at('shop')],
      ],
    )
    await rm(scene.at('hot'), { recursive: true })
    await scene.write('hot/readme', 'no vault')
    await assert.rejects(scene.recovery('hot'), { code: 'recover.nothing' })
  })

  test('holds no secret in its backup', async () => {
    await using scene = await template.copy()
    await using prepared = await scene.recovery('hot')
    await prepared.perform(scene.signal)
    await rm(scene.at('etc/password'))
    for (const file of ['bewaar.yaml', `state/${catalogPlace}`]) {
      assert.ok(!(await readFile(scene.at('etc', file))).includes(password))
    }
  })

  test('is never recovered over something that is there, be it one file of many', async () => {
    for (const file of ['etc/bewaar.d/notes.yaml', `etc/state/${catalogPlace}-wal`, 'etc/password']) {
      await using scene = await template.copy()
      await scene.write(file, 'what somebody may need')
      await using prepared = await scene.recovery('hot')
      const error = await prepared.perform(scene.signal).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (file === 'etc/password') {
        // a password that is there is left alone, and the rest is written
        assert.equal(error, undefined)
        assert.equal(prepared.preview.secrets[0]?.state, 'there')
      } else {
        assert.equal((error as { code?: string }).code, 'recover.exists')
        assert.deepEqual(await readdir(scene.at('etc')), [file.split('/')[1]])
      }
      assert.equal(await readFile(scene.at(file), 'utf8'), 'what somebody may need')
    }
  })

  test('comes from an older backup when the newest is damaged, and says so', async () => {
    await using scene = await template.copy()
    const packs = async (): Promise<string[]> =>
      (await readdir(scene.at('hot', ownProject, 'data'), { recursive: true })).filter((name) => name.length > 60)
    const known = await packs()
    await writeFile(scene.at('bewaar.yaml'), `${configuration}# changed\n`)
    await scene.use((services) => backUpOwn(services, {}, scene.signal))
    for (const pack of await packs()) {
      if (known.includes(pack)) continue
      const file = scene.at('hot', ownProject, 'data', pack)
      const bytes = await readFile(file)
      await rm(file)
      await writeFile(file, bytes.fill(0, 0, bytes.length - 500))
    }
    await using prepared = await scene.recovery('hot')
    assert.match(prepared.preview.findings.join('\n'), /^The backup [0-9a-f]{8} of .* cannot be used/)
    await prepared.perform(scene.signal)
    assert.equal(await readFile(scene.at('etc/bewaar.yaml'), 'utf8'), configuration)
  })

  test('gets no repository where a disk is not mounted; that it is late is a trouble which ends by itself', async () => {
    await using scene = await template.copy()
    await rm(scene.at('archive'), { recursive: true })
    const lookFor = async () => {
      return await scene.use(async (services) => {
        await backUpOwn(services, {}, scene.signal)
        const { troubles } = await watch(services, scene.signal)
        return troubles.filter(({ kind }) => kind === 'own-backup').map(({ vault }) => vault)
      })
    }
    assert.deepEqual(await lookFor(), [])
    await assert.rejects(stat(scene.at('archive')))
    scene.ahead = 2 * dayMs
    assert.deepEqual(await lookFor(), ['archive'])
    await using other = await template.copy()
    await rename(other.at('archive'), scene.at('archive'))
    assert.deepEqual(await lookFor(), [])
  })
})
