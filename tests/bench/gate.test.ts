import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { needs } from '../needs.ts'
import { findWorse, isUndecided, readBounds, recordBounds, type Bounds } from './gate.ts'
import { outcomesOf, type Done, type Outcome, type Rows } from './outcomes.ts'

const folder = mkdtempSync(join(tmpdir(), 'bewaar-gate-'))
after(() => rmSync(folder, { recursive: true }))

const bounds: Bounds = { 'uploads, first': { cpu: 0.6, stored: 1.02, memory: 350 } }

test('a bound holds where everything is below it', () => {
  assert.deepEqual(findWorse(outcomes([5, 5.1, 4.9]), bounds), [])
})

test('a ratio of CPU time above its bound is worse', () => {
  const worse = findWorse(outcomes([7, 7.1, 6.9]), bounds)
  assert.deepEqual(worse, ['uploads, first: 0.70 ± 0.01 of the CPU time, at most 0.6'])
})

test('a ratio above its bound by no more than its rounds differ among each other is not worse', () => {
  assert.deepEqual(findWorse(outcomes([4, 6.4, 9]), bounds), [])
})

test('stored bytes and memory above their bounds are worse', () => {
  const [stored, memory] = findWorse(outcomes([5, 5, 5], { stored: 103, peak: 351e6 }), bounds)
  assert.equal(stored, 'uploads, first: 1.030 of the bytes stored, at most 1.02')
  assert.equal(memory, 'uploads, first: 351 MB of memory, at most 350')
})

test('only a median near its bound asks for more rounds', () => {
  const bound = bounds['uploads, first']
  assert.equal(isUndecided(rows([5, 5.1, 4.9]), bound), false)
  assert.equal(isUndecided(rows([5, 6.1, 6.8]), bound), true)
  assert.equal(isUndecided(rows([9, 9.1, 8.9]), bound), false)
})

test('bounds that were recorded hold for what they were recorded of, and not for a third more CPU time', () => {
  const path = join(folder, 'recorded.json')
  writeFileSync(path, '{}')
  recordBounds(path, outcomes([5, 5.2, 4.8]), { 'small, first': { cpu: 2 } })
  const recorded = readBounds(path)
  assert.deepEqual(Object.keys(recorded), ['small, first', 'uploads, first'])
  assert.deepEqual(findWorse(outcomes([5, 5.2, 4.8]), recorded), [])
  assert.equal(findWorse(outcomes([5, 5.2, 4.8].map((seconds) => seconds * 1.3)), recorded).length, 1)
})

test('the quick bench ends with 1 and says what is worse than its bound', { skip: needs('time') }, () => {
  const path = join(folder, 'bounds.json')
  writeFileSync(path, JSON.stringify({ 'start, help': { memory: 1 } }))
  const args = ['--quick', '--rounds=1', `--bounds=${path}`, `--folder=${join(folder, 'bench')}`]
  const bench = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'bench.ts'), ...args]
  const { status, stderr } = spawnSync(process.execPath, bench, { encoding: 'utf8' })
  assert.equal(status, 1, stderr)
  assert.match(stderr, /worse than its bound: start, help: \d+ MB of memory, at most 1\n/)
})

function outcomes(cpuSeconds: readonly number[], rest: { stored?: number; peak?: number } = {}): Outcome[] {
  return outcomesOf('uploads, first', rows(cpuSeconds, rest))
}

/** Rounds of Bewaar, beside a restic that takes 10 s of CPU time, 100 MB of memory and 100 bytes each time. */
function rows(cpuSeconds: readonly number[], { stored = 100, peak = 300e6 } = {}): Rows {
  const restic: Done = { measured: { seconds: 10, cpuSeconds: 10, peak: 100e6 }, stored: 100 }
  return new Map([
    ['bewaar', cpuSeconds.map((cpu) => ({ measured: { seconds: cpu, cpuSeconds: cpu, peak }, stored }))],
    ['restic', cpuSeconds.map(() => restic)],
  ])
}
