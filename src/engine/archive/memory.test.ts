import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { memoryRepository } from '#engine/testing'
import { archive } from './archive.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('a signal that lives longer than a backup keeps none of its memory', async () => {
  const { signal } = new AbortController()
  const backUp = async (text: string): Promise<void> => {
    await using repository = await memoryRepository()
    const part = { kind: 'content', at: 'a', content: { kind: 'bytes', bytes: Buffer.from(text) } } as const
    const about = { paths: ['/'], hostname: 'trial', timeNs: 1_000_000_000n }
    await archive(repository, { parts: [part], ...about }, signal)
  }
  for (let nth = 0; nth < 4; nth++) await backUp(`text ${nth}`)
  // A thread that has ended gives its buffers back some milliseconds later: what counts is that nothing stays.
  const deadline = performance.now() + 10_000
  let kept: number
  do {
    await sleep(20)
    collectGarbage()
    kept = process.memoryUsage().arrayBuffers
  } while (kept > 20_000_000 && performance.now() < deadline)
  assert.ok(kept <= 20_000_000, `${kept} bytes are kept`)
})
