import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import { needs } from '../needs.ts'
import { emptyPlace, type Ended, type Place } from '../e2e/place.ts'
import { shopPlace } from '../e2e/shop.ts'

const password = 'the password of the vaults'
const configuration = `timezone: Europe/Amsterdam
organisation: Havun
language: nl
state: ./state
kit: { contacts: ['Anna Jansen, +31 6 12345678'] }
vaults:
  hot: { location: ./hot, password: { file: ./password } }
  archive: { location: ./archive, tier: archive, password: { file: ./password } }
projects:
  shop:
    type: node-app
    path: ./shop
    schedule: daily 03:00
    copies: [{ to: archive }]
`

let template: Place
before(async () => {
  template = await shopPlace(configuration)
  await template.write(
    'bewaar.d/notes.yaml',
    'projects:\n  notes: { type: generic, path: ./notes, schedule: daily 04:00, vault: archive }\n',
  )
  await template.write('bewaar.d/notes/list.txt', 'milk\n')
  for (const verb of ['init', 'run']) {
    const { code, err } = await template.bewaar(verb)
    assert.deepEqual({ code, err }, { code: 0, err: '' }, verb)
  }
})
after(() => template[Symbol.asyncDispose]())

function assertDone({ code, err }: Ended): void {
  assert.equal(code, 0, err)
}

/** A machine with nothing but a vault, and the password in a file. */
async function bareMachine(vault: 'hot' | 'archive'): Promise<Place> {
  const place = await emptyPlace()
  await cp(template.at(vault), place.at('disk'), { recursive: true })
  await place.write('typed', `${password}\n`, 0o600)
  return place
}

const recovering = ['recover', '--from=./disk', '--password-file=typed', '--to=etc']

function from(place: Place, ...more: readonly string[]): Promise<Ended> {
  return place.bewaar(...recovering.map((word) => word.replace('./disk', place.at('disk'))), ...more)
}

async function sumOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

describe('a bare machine with one vault and its password', { concurrency: 2 }, () => {
  for (const vault of ['hot', 'archive'] as const) {
    test(`gets configuration and catalog back from the vault ${vault}, and then its projects`, async () => {
      await using place = await bareMachine(vault)
      const planned = await from(place, '--dry-run')
      assertDone(planned)
      assert.match(planned.out, /Nothing was written\.\n$/)
      await assert.rejects(stat(place.at('etc')))

      const done = await from(place, '--yes')
      assertDone(done)
      assert.match(done.out, /^shop +1 +20/m)
      for (const file of ['bewaar.yaml', 'bewaar.d/notes.yaml']) {
        assert.equal(await sumOf(place.at('etc', file)), await sumOf(template.at(file)))
      }
      for (const file of ['bewaar.yaml', 'state/catalog.sqlite', 'password']) {
        assert.equal((await stat(place.at('etc', file))).mode & 0o777, 0o600, file)
      }
      // the disk is where the configuration of the new machine expects its vault
      await rename(place.at('disk'), place.at('etc', vault))
      const config = `--config=${place.at('etc/bewaar.yaml')}`
      const listed = JSON.parse((await place.bewaar('list', '--json', config, `--vault=${vault}`)).out) as unknown[]
      assert.equal(listed.length, vault === 'hot' ? 1 : 2)
      const log = await place.bewaar('logs', config, '--json')
      assert.match(log.out, /Backup to hot complete/)
      assertDone(
        await place.bewaar('restore', config, '--project=shop', '--latest', '--yes', '--to=back', `--vault=${vault}`),
      )
      assert.equal(
        await sumOf(place.at('back/files/uploads/logo.png')),
        await sumOf(template.at('shop/uploads/logo.png')),
      )
      assert.equal(await sumOf(place.at('back/config/.env')), await sumOf(template.at('shop/.env')))
    })
  }

  test('is not written to where something is there already', async () => {
    await using place = await bareMachine('hot')
    await place.write('etc/state/catalog.sqlite', 'what somebody may need')
    const before = await place.content('home', 'tmp')
    const refused = await from(place, '--yes')
    assert.equal(refused.code, 1)
    assert.match(refused.err, /etc\/state\/catalog\.sqlite is there already.*\n.*\n\(recover\.exists\)\n$/)
    assert.deepEqual(await place.content('home', 'tmp'), before)
  })

  test('writes nothing without a yes, and nothing with a wrong password', async () => {
    await using place = await bareMachine('hot')
    const unasked = await from(place)
    assert.equal(unasked.code, 2)
    assert.match(unasked.err, /\(cli\.not-recovered\)\n$/)
    await place.write('typed', 'another\n', 0o600)
    const wrong = await from(place, '--yes')
    assert.equal(wrong.code, 12)
    assert.ok(!wrong.err.includes('another'))
    await assert.rejects(stat(place.at('etc')))
  })

  test('takes an older backup when a byte of the newest cannot be read', { skip: needs('restic') }, async () => {
    await using place = await bareMachine('hot')
    await cp(template.path, place.at('origin'), { recursive: true })
    await rm(place.at('disk'), { recursive: true })
    const source = place.at('origin/bewaar.yaml')
    await writeFile(source, `${configuration}# changed\n`)
    assertDone(await place.bewaar('run', `--config=${source}`, '--project=shop'))
    const disk = place.at('origin/hot')
    const restic = (...args: string[]): Promise<Ended> =>
      place.run('restic', ['--no-cache', '-r', `${disk}/bewaar`, '--password-file', place.at('typed'), ...args]).ended
    const packs = async (): Promise<string[]> => {
      const { out } = await restic('list', 'packs')
      return out.trim().split('\n').toSorted()
    }
    const known = await packs()
    await writeFile(source, `${configuration}# changed again\n`)
    assertDone(await place.bewaar('run', `--config=${source}`, '--project=shop'))
    const added = (await packs()).filter((pack) => !known.includes(pack))
    for (const pack of added) {
      const file = `${disk}/bewaar/data/${pack.slice(0, 2)}/${pack}`
      const bytes = await readFile(file)
      await rm(file)
      await writeFile(file, bytes.fill(0, 0, bytes.length - 200))
    }
    const done = await place.bewaar('recover', `--from=${disk}`, '--password-file=typed', '--to=etc', '--yes', '--json')
    assertDone(done)
    const { findings } = JSON.parse(done.out) as { findings: string[] }
    assert.match(findings.join('\n'), /cannot be used/)
    assert.match(await readFile(place.at('etc/bewaar.yaml'), 'utf8'), /# changed\n$/)
  })

  test('that holds no backup of Bewaar itself gives a configuration made of what is in it', async () => {
    await using place = await bareMachine('archive')
    await rm(place.at('disk/bewaar'), { recursive: true })
    const done = await from(place, '--yes', '--json')
    assertDone(done)
    const { backup, projects } = JSON.parse(done.out) as { backup: unknown; projects: { name: string }[] }
    assert.equal(backup, null)
    assert.deepEqual(
      projects.map(({ name }) => name),
      ['notes', 'shop'],
    )
    const config = `--config=${place.at('etc/bewaar.yaml')}`
    assertDone(await place.bewaar('config', 'check', config))
    assertDone(await place.bewaar('init', config))
    assertDone(await place.bewaar('restore', config, '--project=shop', '--latest', '--to=back'))
    assert.equal(
      await sumOf(place.at('back/files/uploads/logo.png')),
      await sumOf(template.at('shop/uploads/logo.png')),
    )
  })

  test(
    'comes back by hand with the instructions in the backup and stock restic',
    { skip: needs('restic') },
    async () => {
      await using place = await bareMachine('hot')
      const restic = ['--no-cache', '-r', place.at('disk/bewaar'), '--password-file', place.at('typed')]
      const restored = await place.run('restic', [...restic, 'restore', 'latest', '--target', place.at('by-hand')])
        .ended
      assertDone(restored)
      assert.equal(await sumOf(place.at('by-hand/config/bewaar.yaml')), await sumOf(template.at('bewaar.yaml')))
      const instructions = await readFile(place.at('by-hand/RESTORE.md'), 'utf8')
      assert.match(instructions, /cp \/tmp\/bewaar\/catalog\.sqlite /)
      assert.match(instructions, /- `vaults\.hot\.password`: /)
      const everything = await place.run('grep', ['-rl', password, place.at('by-hand')]).ended
      assert.equal(everything.out, '', 'the password is in no file of it')
    },
  )
})

test('a folder that was never a vault is said to hold nothing', async () => {
  await using place = await emptyPlace()
  await place.write('typed', `${password}\n`, 0o600)
  await place.write('disk/readme', 'no vault')
  const refused = await from(place, '--yes')
  assert.equal(refused.code, 1)
  assert.match(refused.err, /\(recover\.nothing\)\n$/)
})

test('a vault whose disk is not mounted gets no repository of its own, and the run says so', async () => {
  await using place = await template.copy()
  await rm(place.at('archive'), { recursive: true })
  const { err } = await place.bewaar('run', '--project=shop')
  assert.match(err, /Bewaar itself could not be backed up to archive: /)
  await assert.rejects(stat(place.at('archive')))
  assert.match((await place.bewaar('logs', '--project=bewaar')).out, /Backup of Bewaar itself to archive failed/)
})
