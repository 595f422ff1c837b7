import assert from 'node:assert/strict'
import { readFile, readdir, rm, stat } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'

import { encodeQR } from 'qr'
import { decodeQR } from 'qr/decode.js'

import { Secret } from '#base'
import { catalogFile } from '#catalog'
import { catalogPlace } from '#model'
import {
  backUpOwn,
  checkKit,
  joinGiven,
  loadDuties,
  makeKit,
  recordKit,
  type Held,
  type KitRequest,
  type MadeKit,
} from '#usecases'
import { needs } from '../needs.ts'
import { backedUpScene, configuration, password, type Scene } from './scene.ts'

const dayMs = 24 * 60 * 60 * 1000

let template: Scene
before(async () => {
  template = await backedUpScene()
})
after(() => template?.[Symbol.asyncDispose]())

suite('Bewaar itself', () => {
  test('is backed up into every vault that a project is kept in, and comes back from each alone', async () => {
    for (const vault of ['hot', 'archive']) {
      await using scene = await template.copy()
      await using prepared = await scene.recovery(vault)
      const { preview } = prepared
      assert.deepEqual(
        preview.files.map(({ path, what, isThere }) => [path.slice(scene.folder.length), what, isThere]),
        [
          ['/etc/bewaar.yaml', 'configuration', false],
          ['/etc/bewaar.d/notes.yaml', 'configuration', false],
          [`/etc/state/${catalogPlace}`, 'catalog', false],
          ['/etc/password', 'password', false],
        ],
      )
      assert.equal(preview.backup?.organisation, 'Havun & Zn <b>')
      assert.deepEqual(
        preview.projects.map(({ name, snapshots }) => [name, snapshots]),
        vault === 'hot'
          ? [
              ['notes', 1],
              ['shop', 1],
            ]
          : [['shop', 1]],
      )
      await prepared.perform(scene.signal)
      assert.equal(await readFile(scene.at('etc/bewaar.yaml'), 'utf8'), configuration)
      assert.equal(await readFile(scene.at('etc/password'), 'utf8'), `${password}\n`)
      for (const { path } of preview.files) assert.equal((await stat(path)).mode & 0o777, 0o600)
      const runs = await scene.use((services) => services.catalog.runs.list({ project: 'shop' }), 'etc/bewaar.yaml')
      assert.deepEqual(
        runs.map(({ status }) => status),
        ['complete'],
      )
    }
  })

  test('is never recovered over something that is there, be it one file of many', async () => {
    await using scene = await template.copy()
    await scene.write(`etc/state/${catalogPlace}-wal`, 'what somebody may need')
    await using prepared = await scene.recovery('archive')
    await assert.rejects(prepared.perform(scene.signal), { code: 'recover.exists' })
    assert.deepEqual(await readdir(scene.at('etc')), ['state'])
  })

  test('is recovered with the right password only', async () => {
    await assert.rejects(template.recovery('hot', 'another'), { code: 'repository.password' })
  })

  test('is backed up after a run only where the configuration or a hold has changed', async () => {
    await using scene = await template.copy()
    const after = (): Promise<string[]> =>
      scene.use(async (services) =>
        (await backUpOwn(services, { only: 'due' }, scene.signal)).map(({ vault }) => vault),
      )
    // because the copy of the scene lies in another folder, and what the digest is of has its paths in it
    assert.deepEqual(await after(), ['hot', 'archive'])
    assert.deepEqual(await after(), [])
    const hold = { id: 'h-1', project: 'shop', reason: 'audit', beganAt: 1, who: 'anna@vm' }
    await scene.use((services) => services.catalog.holds.add(hold))
    assert.deepEqual(await after(), ['hot', 'archive'])
    const own = await scene.use((services) => services.catalog.snapshots.list({ project: 'bewaar', vault: 'hot' }))
    assert.equal(own.length, 3)
  })

  test('is backed up when a vault is made, and not where an older backup could be recovered', async () => {
    await using scene = await template.copy()
    const made = (): Promise<string[]> =>
      scene.use(async (services) => {
        const only = { firstIn: ['hot', 'archive'] }
        return (await backUpOwn(services, { only }, scene.signal)).map(({ vault }) => vault)
      })
    assert.deepEqual(await made(), [])
    const { catalogPath, newest } = await scene.use(async ({ configuration, catalog }) => ({
      catalogPath: catalogFile(configuration.state),
      newest: await catalog.recovery.ownBackups(),
    }))
    assert.equal(newest.length, 2)
    // because a catalog that was lost and begun anew says nothing of what lies in the vaults
    for (const ending of ['', '-wal', '-shm']) await rm(`${catalogPath}${ending}`, { force: true })
    assert.deepEqual(await made(), [])
    await rm(scene.at('archive', 'bewaar'), { recursive: true })
    assert.deepEqual(await made(), ['archive'])
    assert.deepEqual(await made(), [])
  })

  test('is backed up once a day by itself, and what failed is made up for', async () => {
    await using scene = await template.copy()
    scene.ahead = 2 * dayMs
    const [duty] = (await loadDuties()).filter(({ kind }) => kind === 'own-backup')
    assert.ok(duty && duty.judge !== 'often')
    const { judge } = duty
    await scene.use(async (services) => {
      const due = await judge(services, {})
      assert.ok(due.isDue)
      assert.equal((await duty.perform(services, {}, due.slot, scene.signal)).outcome, 'done')
      assert.equal((await judge(services, {})).isDue, false)
      const made = await services.catalog.recovery.ownBackups()
      assert.deepEqual(await backUpOwn(services, { only: { since: due.slot } }, scene.signal), [])
      assert.deepEqual(await services.catalog.recovery.ownBackups(), made)
    })
  })
})

suite('a recovery kit', () => {
  const make = (request: Partial<KitRequest>): Promise<MadeKit> =>
    template.use((services) => makeKit(services, { form: 'without', vaults: [], ...request }, template.signal))

  async function held(...given: readonly string[]): Promise<Held> {
    const joined = await joinGiven(given.map((one) => new Secret(one)))
    assert.ok(!('missing' in joined))
    return joined
  }

  test('says where the vaults are, whom to call and what to do, in both languages, and not the password', async () => {
    for (const [language, title, proof] of [
      ['nl', 'Herstelkit', 'Elk jaar aantonen'],
      ['en', 'Recovery kit', 'Proof, every year'],
    ] as const) {
      const { pages, form } = await make({ language })
      assert.deepEqual([pages.length, form], [1, 'without'])
      const [page = ''] = pages
      assert.ok(page.includes(`<h1>${title}</h1>`) && page.includes(proof))
      assert.ok(page.includes('Havun &amp; Zn &lt;b&gt;') && !page.includes('<b>'), 'what is filled in is escaped')
      assert.ok(page.includes('Anna Jansen, +31 6 12345678'))
      for (const vault of ['hot', 'archive']) {
        assert.ok(page.includes(`bewaar recover --from=${template.at(vault)}`))
        assert.ok(page.includes(`export RESTIC_REPOSITORY=${template.at(vault)}/PROJECT`))
      }
      assert.ok(!page.includes(password) && !page.includes('<svg'))
      assert.doesNotMatch(page, /<script|https?:\/\/(?!www\.w3\.org)|undefined|\[object/)
    }
  })

  test('has the password only when it is asked for: as it is, spelled, and as a code that a camera reads', async () => {
    const { pages } = await make({ form: 'password' })
    const [page = ''] = pages
    assert.ok(page.includes(`<code>${password}</code>`))
    assert.match(page, /<code>K<\/code> hoofdletter kilo/)
    assert.match(page, /<code>#<\/code> hekje/)
    assert.match(page, /<code> <\/code> spatie/)
    assert.ok(page.includes(encodeQR(password, 'svg', { ecc: 'medium', border: 4 })))
    assert.equal(decodeQR(pixels(encodeQR(password, 'raw', { ecc: 'medium', border: 4 }))), password)
  })

  test('has one share on each paper; two of three open the vaults, and one tells what is missing', async () => {
    const made = await make({ form: 'shares', shares: { needed: 2, count: 3 } })
    assert.equal(made.pages.length, 3)
    const shares = made.pages.map(shareOn)
    for (const page of made.pages) assert.ok(!page.includes(password))
    assert.deepEqual(await joinGiven([new Secret(shares[0]!)]), { missing: 1 })
    const both = await held(shares[2]!, shares[0]!)
    assert.deepEqual([both.secret.reveal(), both.by, both.kit], [password, 'shares', made.id])
    const report = await template.use((services) => checkKit(services, both, [], template.signal))
    assert.deepEqual([report.status, report.vaults.map(({ opened }) => opened)], ['complete', [3, 2]])
    const other = await make({ form: 'shares', shares: { needed: 2, count: 3 } })
    await assert.rejects(held(shares[0]!, shareOn(other.pages[1]!)), { code: 'credential.share-other' })
  })

  test('is remembered without its password', async () => {
    const made = await make({ form: 'password' })
    const [known] = await template.use(async (services) => {
      await recordKit(services, made)
      return await services.catalog.recovery.kits()
    })
    const { pages: _, ...kit } = made
    assert.deepEqual(known, kit)
  })

  test('names the keys of a host, also where its name is hashed', { skip: needs('sftp') }, async () => {
    await using box = await template.copy()
    const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
    await box.write('known_hosts', `[box.example.org]:23 ssh-ed25519 ${key}\n`)
    await box.write('key', 'a key\n')
    const vault = 'sftp://u1@box.example.org:23/./bewaar, identity: { file: ./key }, known-hosts: ./known_hosts'
    await box.write('bewaar.yaml', configuration.replace('location: ./archive', `location: ${vault}`))
    const made = await box.use((services) => makeKit(services, { form: 'without', vaults: [] }, box.signal))
    assert.match(made.pages[0]!, /ED25519 <code>SHA256:\+DiY3wvvV6TuJJhbpZisF\/zLDA0zPMSvHdkr4UvCOqU<\/code>/)
    assert.match(made.pages[0]!, /bewaar recover --from=sftp:\/\/u1@box\.example\.org:23\/\.\/bewaar --identity=/)
  })
})

/** As a person would type it, from what stands on the paper. */
function shareOn(page: string): string {
  const [, block = ''] = /class="letters groups">\s*<code>(.*?)<\/code>/s.exec(page) ?? []
  return [...block.matchAll(/<span>([a-z0-9]+)<\/span>/g)].map((match) => match[1]).join(' ')
}

/** What a camera sees, four points for each module. */
function pixels(modules: readonly (readonly boolean[])[]): { width: number; height: number; data: Uint8Array } {
  const scale = 4
  const width = modules.length * scale
  const data = new Uint8Array(width * width * 4).fill(255)
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      if (modules[Math.floor(y / scale)]![Math.floor(x / scale)])
        data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return { width, height: width, data }
}
