import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { MemoryPlace } from '#engine'
import { LockMemory } from './lock-memory.ts'

const now = Date.UTC(2026, 10, 22)
const dayMs = 24 * 60 * 60 * 1000
const later = now + 100 * dayMs
const about = 's3:bucket/bewaar/shop 1234'
const pack = { type: 'pack', name: 'ab'.repeat(32) } as const
const index = { type: 'index', name: 'cd'.repeat(32) } as const
const config = { type: 'config', name: '' } as const

/** A place that is only in memory; it begins with `text`. */
function placeWith(text?: string): MemoryPlace & { text(): string } {
  let kept = text === undefined ? undefined : Buffer.from(text)
  return {
    load: async () => kept,
    save: async (bytes) => void (kept = Buffer.from(bytes)),
    text: () => String(kept),
  }
}

async function filled(): Promise<ReturnType<typeof placeWith>> {
  const place = placeWith()
  const memory = await LockMemory.load(place, about, now)
  for (const ref of [pack, index, config]) memory.note(ref, later)
  memory.note({ type: 'key', name: 'ef'.repeat(32) }, now + dayMs)
  memory.settle('snapshot', later)
  await memory.save(now)
  return place
}

describe('the memory of locks', () => {
  test('gives back what was noted, and drops what is over', async () => {
    const place = await filled()
    const memory = await LockMemory.load(place, about, now + 2 * dayMs)
    for (const ref of [pack, index, config]) assert.equal(memory.lockedUntil(ref), later)
    assert.equal(memory.lockedUntil({ type: 'index', name: pack.name }), 0)
    assert.deepEqual(memory.indexes, [index.name])
    assert.equal(memory.settledUntil('snapshot'), later)
    assert.equal(memory.settledUntil('other'), 0)
    await memory.save(now + 2 * dayMs)
    assert.ok(!place.text().includes('key/'))
    memory.unsettle()
    assert.equal(memory.settledUntil('snapshot'), 0)
    assert.equal(memory.lockedUntil(pack), later)
  })

  test('is believed about one place and for thirty days', async () => {
    const knows = async (of: string, at: number): Promise<boolean> =>
      (await LockMemory.load(await filled(), of, at)).lockedUntil(pack) > 0
    assert.equal(await knows(about, now + 29 * dayMs), true)
    assert.equal(await knows(about, now + 30 * dayMs), false)
    assert.equal(await knows(about, now - dayMs), false, 'the clock was wrong')
    assert.equal(await knows('s3:other/bewaar/shop 1234', now), false)
  })

  test('is empty when it cannot be understood', async () => {
    const good = (await filled()).text()
    const bad = ['', '{', 'null', '[]', '{}', good.slice(0, -9), good.replace(String(later), 'later')]
    for (const text of [...bad, good.replace(`"snapshot":${later}`, '"snapshot":"later"')]) {
      const memory = await LockMemory.load(placeWith(text), about, now)
      assert.equal(memory.lockedUntil(pack) + memory.settledUntil('snapshot'), 0, text)
    }
    const broken = { load: () => Promise.reject(new Error('EIO')), save: () => Promise.reject(new Error('EIO')) }
    const memory = await LockMemory.load(broken, about, now)
    assert.equal(memory.lockedUntil(pack), 0)
    await memory.save(now)
  })
})
