import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { fillDatabase, shopPlace } from './shop.ts'
import { databaseFile } from './shop.ts'
import type { Place } from './place.ts'

/** @param before - lines of YAML for the programs that make the shop quiet, and that undo it. */
function quietConfiguration(before: string, after: string): string {
  return `state: ./state
vaults:
  hot: { location: ./hot, password: { env: VAULT_PASSWORD } }
projects:
  shop:
    type: node-app
    path: ./shop
    schedule: daily 03:00
    quiet:
      before: [${before}]
      after: [${after}]
`
}

/** Adds a line to a file of the place. */
function line(text: string): string {
  return `[sh, -c, "echo ${text} >> ../happened"]`
}

async function quietPlace(before: string, after: string): Promise<Place> {
  const place = await shopPlace(quietConfiguration(before, after))
  assert.equal((await bewaar(place, 'init')).code, 0)
  return place
}

function bewaar(place: Place, ...args: string[]) {
  return place.start(args, { env: { VAULT_PASSWORD: 'canary of the vault' } }).ended
}

async function happened(place: Place): Promise<string[]> {
  return existsSync(place.at('happened')) ? (await readFile(place.at('happened'), 'utf8')).trim().split('\n') : []
}

describe('a project is quiet while it is copied', { concurrency: 2 }, () => {
  test('programs run before and after, in its folder, and are not given our secrets', async () => {
    await using place = await quietPlace(`${line('down')}, [sh, -c, "env > ../environment"]`, line('up'))
    const { code, err } = await bewaar(place, 'run')
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(await happened(place), ['down', 'up'])
    assert.doesNotMatch(await readFile(place.at('environment'), 'utf8'), /canary/)
  })

  test('it is undone when a program before fails, and the run says which one', async () => {
    await using place = await quietPlace(`${line('down')}, [sh, -c, "echo no room >&2; exit 7"]`, line('up'))
    const { code, out } = await bewaar(place, 'run', '--json')
    assert.equal(code, 1)
    const [report] = JSON.parse(out) as { status: string; error: { code: string; message: string } }[]
    assert.equal(report!.error.code, 'run.not-quiet')
    assert.match(report!.error.message, /sh ended with exit code 7: no room/)
    assert.deepEqual(await happened(place), ['down', 'up'])
  })

  test('each program after runs although another fails, and the run says that it may still be quiet', async () => {
    await using place = await quietPlace(line('down'), `[sh, -c, "exit 3"], ${line('up')}`)
    const { code, out } = await bewaar(place, 'run', '--json')
    assert.equal(code, 3)
    const [report] = JSON.parse(out) as { findings: { severity: string; text: string }[] }[]
    assert.match(report!.findings.map(({ text }) => text).join(), /may still be quiet.*exit code 3/)
    assert.deepEqual(await happened(place), ['down', 'up'])
  })

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`after ${signal} it does not stay quiet`, async () => {
      await using place = await quietPlace(`${line('down')}, [sleep, "20"]`, line('up'))
      const { child, ended } = place.start(['run'], { env: { VAULT_PASSWORD: 'canary of the vault' } })
      for (let tries = 0; !(await happened(place)).includes('down'); tries++) {
        assert.ok(tries < 300, 'the run never made it quiet')
        await pause(50)
      }
      child.kill(signal)
      await ended
      if (signal === 'SIGKILL') {
        await writeFile(place.at('bewaar.yaml'), quietConfiguration(line('later'), line('end')))
        const next = await bewaar(place, 'run', '--json')
        assert.equal(next.code, 0, next.err + next.out)
        assert.match(next.out, /A killed run had left it quiet; that is undone now/)
        assert.deepEqual(await happened(place), ['down', 'up', 'later', 'end'])
      } else {
        assert.deepEqual(await happened(place), ['down', 'up'])
      }
    })
  }
})

test('a table that fell sharply since the last backup makes a run incomplete, and the run says so', async () => {
  await using place = await shopPlace()
  fillDatabase(place, ...Array.from({ length: 300 }, (_, nth) => `product ${nth}`))
  for (const verb of ['init', 'run']) assert.equal((await place.bewaar(verb)).code, 0)
  {
    using database = new DatabaseSync(place.at(databaseFile))
    database.exec('DELETE FROM product WHERE rowid > 100')
  }
  const fallen = await place.bewaar('run', '--json')
  assert.equal(fallen.code, 3)
  assert.match(fallen.out, /The table product fell from 302 rows to 100 since the last backup/)
  const again = await place.bewaar('run', '--json')
  assert.equal(again.code, 0, again.out)
})
