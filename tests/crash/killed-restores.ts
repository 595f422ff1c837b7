import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'

import { pause } from '#base'
import { shopPlace } from '../e2e/shop.ts'
import type { Place } from '../e2e/place.ts'
import { chanceOf } from './chance.ts'

const restore = ['restore', '--project=shop'] as const
const ours = ['state', 'hot', 'archive', 'tmp', 'password'] as const

/** A shop of some files, backed up, and then changed in all the ways that a restore mends. */
async function changedShop(): Promise<{ place: Place; backedUp: string[]; changed: string[] }> {
  const place = await shopPlace()
  assert.equal((await place.bewaar('init')).code, 0)
  for (let nth = 0; nth < 40; nth++) await place.write(`shop/uploads/${nth}.bin`, Buffer.alloc(200_000, `${nth} `))
  assert.equal((await place.bewaar('run')).code, 0)
  const backedUp = await place.content(...ours)
  for (let nth = 0; nth < 40; nth += 2) await place.write(`shop/uploads/${nth}.bin`, Buffer.alloc(200_000, `${nth}!`))
  for (let nth = 1; nth < 40; nth += 4) await rm(place.at(`shop/uploads/${nth}.bin`))
  await rm(place.at('shop/certificates'), { recursive: true })
  await writeFile(place.at('shop/shop.js'), 'overwritten\n')
  await place.write('shop/uploads/stray.txt', 'made after the backup')
  return { place, backedUp, changed: await place.content(...ours) }
}

/** Names, modes, owners, sizes and times of files; folders change their times with what comes and goes in them. */
function namesOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^(.* d \d+ \S+ -) .*$/, '$1'))
}

async function succeed(place: Place, ...args: string[]): Promise<void> {
  const { code, err } = await place.bewaar(...restore, ...args)
  assert.equal(code, 0, err)
}

/**
 * Kills restores at moments that chance chooses. Each is then taken back, or gone on with, and the project must be as it was before, or
 * as in the backup.
 *
 * @returns how many of them had something to go on with.
 */
export async function killRestores(count: number, seed: number): Promise<number> {
  const chance = chanceOf(seed)
  const { place: template, backedUp, changed } = await changedShop()
  await using _ = template
  let cut = 0
  let usualMs: number
  {
    await using place = await template.copy()
    const began = performance.now()
    await succeed(place, '--yes', '--delete')
    usualMs = performance.now() - began
    assert.deepEqual(namesOf(await place.content(...ours)), namesOf(backedUp))
  }
  let [earliestMs, latestMs] = [usualMs * 0.2, usualMs]
  for (let nth = 0; nth < count; nth++) {
    await using place = await template.copy()
    const { child, ended } = place.start([...restore, '--yes', '--delete'])
    const began = performance.now()
    const afterMs = earliestMs + (latestMs - earliestMs) * chance.next()
    await Promise.race([pause(afterMs), ended])
    child.kill('SIGKILL')
    const { code } = await ended
    // because a machine that is busy now may be quick a minute later
    if (code === 0) {
      latestMs = performance.now() - began
      earliestMs = Math.min(earliestMs, latestMs / 2)
    }
    const isUndone = chance.below(2) === 0
    const about = `moment ${nth} of seed ${seed}, after ${afterMs.toFixed(0)} ms`
    if (code === 0 && !isUndone) continue
    const again = await place.bewaar(...restore, '--yes', isUndone ? '--undo' : '--resume')
    if (/nothing-open/.test(again.err)) {
      // Because it was killed before it began, and nothing may have changed then; or when it was over, and all of it must be there.
      const now = namesOf(await place.content(...ours))
      const isOver = !isUndone && isDeepStrictEqual(now, namesOf(backedUp))
      if (!isOver) assert.deepEqual(now, namesOf(changed), about)
      if (isOver) continue
      earliestMs = Math.max(earliestMs, afterMs)
      latestMs = Math.max(latestMs, earliestMs * 1.5)
      continue
    }
    assert.equal(again.code, 0, `${about}: ${again.err}`)
    cut++
    const after = await place.content(...ours)
    assert.deepEqual(namesOf(after), namesOf(isUndone ? changed : backedUp), about)
  }
  return cut
}
