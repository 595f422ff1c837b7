import assert from 'node:assert/strict'
import { test } from 'node:test'

import { runProgram } from './subprocess.ts'

/** Makes six million objects of which few are kept, and prints how often the whole heap was looked through for garbage. */
const streaming = (before: string): string => `
  import { constants, PerformanceObserver } from 'node:perf_hooks'
  import { collectSeldom } from '${import.meta.resolve('./heap.ts')}'
  let collections = 0
  const count = ({ detail }) => { if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections += 1 }
  new PerformanceObserver((list) => list.getEntries().forEach(count)).observe({ entryTypes: ['gc'] })
  ${before}
  const kept = []
  for (let nth = 0; nth < 6_000_000; nth++) {
    kept[nth % 200_000] = { nth, text: nth + ' of them' }
    if (nth % 100_000 === 0) await new Promise(setImmediate)
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  console.log(collections)`

test('whoever asks for it has garbage collected at most half as often', async () => {
  const collections = async (before: string): Promise<number> => {
    const args = [
      '--heap-growing-percent=40',
      '--max-semi-space-size=8',
      '--input-type=module',
      '--eval',
      streaming(before),
    ]
    return Number(await runProgram(process.execPath, args))
  }
  const [often, seldom] = [await collections(''), await collections('collectSeldom()')]
  assert.ok(often >= 8 && seldom * 2 <= often, `${often} collections, and ${seldom}`)
})
