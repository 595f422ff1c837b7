import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  await backUp('first')
  collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  for (let nth = 0; nth < 4; nth++) await backUp(`text ${nth}`)
  collectGarbage()
  const growth = process.memoryUsage().arrayBuffers - before
  assert.ok(growth < 40_000_000, `${growth} bytes are kept`)
})
