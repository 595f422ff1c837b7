import assert from 'node:assert/strict'
import { globSync, statSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, test } from 'node:test'

import type { Place } from '../e2e/place.ts'
import { backedUpShop } from '../e2e/shop.ts'

const configuration = `timezone: Europe/Amsterdam
state: ./state
vaults:
  hot: { location: ./hot, password: { file: ./password }, place: { site: Amsterdam } }
  archive:
    location: ./archive
    tier: archive
    password: { file: ./password }
    place: { site: Falkenstein }
    capacity: 1 GB
    price: 120 EUR/year
projects:
  shop:
    type: node-app
    path: ./shop
    schedule: daily 03:00
    vault: hot
    copies: [{ to: archive, schedule: weekly sunday 06:00 }]
    keep: { archive: { for: 7 years } }
`
const dayMs = 24 * 60 * 60 * 1000

interface VaultJson {
  readonly vault: string
  readonly used: number
  readonly growthPerDay: number | null
  readonly full: string | null
  readonly error: { readonly code: string } | null
}

suite('what vaults are worth, hold and cost', () => {
  let place: Place
  before(async () => {
    place = await backedUpShop(configuration)
  })
  after(() => place?.[Symbol.asyncDispose]())

  async function json<T>(...args: string[]): Promise<{ code: number; value: T }> {
    const { code, out } = await place.bewaar(...args, '--json')
    return { code, value: JSON.parse(out) as T }
  }
  /** Files of the project. */
  const pathsOf = (vault: string, project = 'shop'): string[] =>
    globSync(`${place.at(vault)}/${project}/**/*`).filter((path) => statSync(path).isFile())

  test('a probe of a folder says that it can be changed, leaves nothing, and is remembered', async () => {
    const before = pathsOf('archive').length
    const { code, value } = await json<{ vault: string; worth: string; left: number }[]>('vault', 'probe')
    assert.equal(code, 0)
    assert.deepEqual(
      value.map(({ vault, worth, left }) => [vault, worth, left]),
      [
        ['hot', 'mutable', 0],
        ['archive', 'mutable', 0],
      ],
    )
    assert.equal(pathsOf('archive').length, before)
    const { out } = await place.bewaar('vault', 'probe', 'archive')
    assert.equal(
      out,
      ['VAULT    WORTH    DELETE   OVERWRITE  TRUNCATE', 'archive  mutable  allowed  allowed    allowed', ''].join(
        '\n',
      ),
    )
    const listed = await json<{ worth: string; reason: string }[]>('vault', 'list')
    assert.equal(listed.value[1]?.reason, 'can be deleted, overwritten and truncated')
    assert.equal((await place.bewaar('vault', 'probe', 'nowhere')).code, 1)
  })

  test('the list adds up files, and shares the price among projects for their term', async () => {
    const { code, value } = await json<Record<string, unknown>[]>('vault')
    assert.equal(code, 0)
    const { used, free, projects, ...archive } = value[1] as { used: number; free: number; projects: unknown[] }
    const { measured: _, tried: __, location: ___, ...told } = archive as Record<string, unknown>
    assert.deepEqual(told, {
      vault: 'archive',
      tier: 'archive',
      place: { site: 'Falkenstein' },
      worth: 'mutable',
      stale: false,
      reason: 'can be deleted, overwritten and truncated',
      total: 1_000_000_000,
      growthPerDay: null,
      full: null,
      currency: 'EUR',
      perMonth: 10,
      error: null,
    })
    const usedBy = (project: string) => {
      const sizes = pathsOf('archive', project).map((path) => statSync(path).size)
      return { project, files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0), olderBytes: 0 }
    }
    const [shop, itself] = [usedBy('shop'), usedBy('bewaar')]
    assert.equal(used, shop.bytes + itself.bytes)
    assert.equal(free, 1_000_000_000 - used)
    const costOf = ({ bytes }: { readonly bytes: number }) => ({ share: bytes / used, perMonth: 10 * (bytes / used) })
    const perMonth = costOf(shop).perMonth
    const costs = [
      { ...shop, ...costOf(shop), overTerm: perMonth * 84 },
      { ...itself, ...costOf(itself), overTerm: null },
    ]
    assert.deepEqual(
      projects,
      costs.toSorted((a, b) => b.bytes - a.bytes),
    )
  })

  test('what was measured on several days tells how it grows, and when it is full', async () => {
    {
      using catalog = new DatabaseSync(place.at('state/catalog.sqlite'))
      const [now, bytes] = [
        Date.now(),
        Number(catalog.prepare("select bytes from repository_size where vault = 'archive'").get()!['bytes']),
      ]
      for (const days of [1, 2, 3, 4]) {
        const at = now - days * dayMs
        catalog.prepare('insert into measurement values (?, ?, null, null)').run('archive', at)
        const row = catalog.prepare('insert into repository_size values (?, ?, ?, 1, ?, 0)')
        row.run('archive', at, 'shop', bytes - days * 50_000)
      }
    }
    const { value } = await json<VaultJson[]>('vault', 'list', '--measure')
    const { growthPerDay, full, used } = value[1]!
    assert.ok(Math.abs(growthPerDay! - 50_000) < 100, String(growthPerDay))
    const days = (Date.parse(full!) - Date.now()) / dayMs
    assert.ok(Math.abs(days - (1e9 - used) / 50_000) < 100, full!)
    const { out } = await place.bewaar('vault', 'list')
    assert.match(out, /^archive {2}mutable .* \+50\.\d KB {2}20\d\d-\d\d-\d\d {2}10\.00 EUR$/m)
    assert.ok(
      out
        .split('\n')
        .filter((line) => !line.includes('/'))
        .every((line) => line.length <= 80),
      out,
    )
  })

  test('health is good after a run and a copy, and bad after damage was found', async () => {
    const good = await json<{ verdict: string; score: number; rules: { rule: string; met: boolean }[] }[]>('health')
    assert.deepEqual([good.code, good.value[0]?.verdict, good.value[0]?.score], [0, 'healthy', 3])
    const missing = good.value[0]!.rules.filter(({ met }) => !met)
    assert.deepEqual(
      missing.map(({ rule }) => rule),
      ['immutable', 'errors'],
    )
    const packs = globSync(`${place.at('archive/shop/data')}/*/*`)
    await place.run('chmod', ['u+w', packs[0]!]).ended
    await writeFile(packs[0]!, 'nothing')
    assert.equal((await place.bewaar('verify', '--vault=archive')).code, 4)
    const bad = await place.bewaar('health')
    assert.equal(bad.code, 1)
    assert.match(
      bad.out,
      /^shop: damaged\n {2}damaged: archive: its last verification found damage\n {4}Run `bewaar verify/m,
    )
  })

  test('the report counts what happened in its time', async () => {
    const { code, value } = await json<{ period: string; projects: Record<string, unknown>[]; vaults: VaultJson[] }>(
      'report',
      '--weekly',
    )
    assert.deepEqual([code, value.period, value.vaults.length], [0, 'week', 2])
    const { runs, verifications, copies } = value.projects[0] as Record<string, Record<string, number>[]>
    assert.deepEqual(runs, { running: 0, complete: 1, incomplete: 0, failed: 0, cancelled: 0 })
    assert.deepEqual(verifications, { sound: 0, damaged: 1, failed: 0 })
    assert.deepEqual([copies?.[0]?.['complete'], copies?.[0]?.['snapshots']], [1, 1])
    const { out } = await place.bewaar('report', '--project=shop')
    assert.match(out, /^Daily Backup Report\n/)
    assert.match(out, /^ {2}- archive: its last verification found damage$/m)
    assert.equal((await place.bewaar('report', '--daily', '--monthly')).code, 2)
  })

  test('a vault that is away is shown with why, by what was known of it', async () => {
    await rename(place.at('archive'), place.at('away'))
    const { code, value } = await json<VaultJson[]>('vault', 'list', '--measure')
    assert.deepEqual([code, value[0]?.error, value[1]?.error?.code], [1, null, 'backend.place-missing'])
    assert.ok(value[1]!.used > 1000)
    await place.run('mkdir', [place.at('archive')]).ended
    const { out } = await place.bewaar('vault', 'list', '--measure')
    assert.match(
      out,
      /^ {2}could not be measured: Nothing of project shop is in .*, where 1 backups were known\n {2}the numbers are of /m,
    )
    const probed = await json<{ outcome: string; worth: string; error: { code: string } }[]>(
      'vault',
      'probe',
      'archive',
    )
    const [archive] = probed.value
    assert.deepEqual(
      [probed.code, archive?.outcome, archive?.worth, archive?.error.code],
      [1, 'failed', 'mutable', 'backend.place-missing'],
    )
  })
})
