/**
 * Compares Bewaar with its peers on the same data, in turn, round after round, and prints ratios and goals.
 *
 *   npm run bench                          all cases at full size, 3 rounds
 *   npm run bench -- --quick               small data, beside restic only; fails when something is worse than its bound
 *   npm run bench -- --quick --record      writes what was measured, with some leeway, as the bounds
 *   npm run bench -- --only uploads        cases whose name begins so
 *   npm run bench -- --peers restic        fewer peers
 *   npm run bench -- --scale 0.1 --rounds 5 --json result.json --folder /var/tmp/bench
 *   npm run bench -- --large               a million files, and a file of 50 GB; fails when memory is above its bound
 */
import { rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { formatBytes } from '#base'
import { findBundle } from '../../bin/main.js'
import { Bench } from './bench-run.ts'
import { runCases } from './cases.ts'
import { findWorse, readBounds, recordBounds } from './gate.ts'
import { tableOfGoals } from './goals.ts'
import { backUpLargeFile, backUpManyFiles, type Step } from './large.ts'
import type { Outcome } from './outcomes.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    peers: { type: 'string' },
    scale: { type: 'string' },
    rounds: { type: 'string' },
    bounds: { type: 'string', default: join(import.meta.dirname, 'bounds.json') },
    json: { type: 'string' },
    folder: { type: 'string', default: join(tmpdir(), 'bewaar-bench') },
    seed: { type: 'string', default: '1' },
  },
})

if (flags.large) measureLarge()
else await measureCases()

async function measureCases(): Promise<void> {
  const bounds = readBounds(flags.bounds)
  const scale = Number(flags.scale ?? (flags.quick ? 0.1 : 1))
  const rounds = Number(flags.rounds ?? 3)
  const bench = new Bench({
    home: flags.folder,
    scale,
    rounds,
    seed: flags.seed,
    peers: (flags.peers ?? (flags.quick ? 'restic' : 'restic,borg,rsync,tar|zstd|age')).split(','),
    isWanted: (name) => name.startsWith(flags.only) && (!flags.quick || name in bounds),
    ...(flags.quick && !flags.record && { bounds }),
  })
  await runCases(bench)
  print(bench.outcomes, scale, rounds)
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(bench.outcomes, null, 2)}\n`)
  if (!flags.quick) return
  if (flags.record) return recordBounds(flags.bounds, bench.outcomes, bounds)
  fail(findWorse(bench.outcomes, bounds).map((text) => `worse than its bound: ${text}`))
}

function print(outcomes: readonly Outcome[], scale: number, rounds: number): void {
  const program = findBundle(join(import.meta.dirname, '../..')) === undefined ? 'the sources' : 'the bundle'
  const lines = [
    `Ratios are medians of ${rounds} interleaved rounds or more, by restic in the same round, with their standard error.`,
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${formatBytes(totalmem())} of memory, Node ${process.versions.node}, data at ${scale} of full size, Bewaar started from ${program}.`,
    '',
    '| work | program | seconds | ratio | CPU s | ratio of CPU s | peak memory | stored | ratio |',
    '|---|---|---:|---:|---:|---:|---:|---:|---:|',
    ...outcomes.map(lineOf),
  ]
  console.log(lines.join('\n'))
  if (scale >= 1) console.log(['', 'Goals, at full size:', '', ...tableOfGoals(outcomes)].join('\n'))
}

function lineOf(outcome: Outcome): string {
  const { seconds, cpuSeconds, peak, stored } = outcome
  const ratios = outcome.ratios['restic'] ?? outcome.ratios['node']
  const show = (estimate?: { readonly median: number; readonly noise: number }): string =>
    estimate ? `${estimate.median.toFixed(2)}${estimate.noise < Infinity ? ` ± ${estimate.noise.toFixed(2)}` : ''}` : ''
  const cells = [
    outcome.case,
    outcome.program.replaceAll('|', ' '),
    seconds.toFixed(2),
    show(ratios?.seconds),
    cpuSeconds.toFixed(2),
    show(ratios?.cpuSeconds),
    formatBytes(peak),
    stored === undefined ? '' : formatBytes(stored),
    ratios?.stored?.toFixed(2) ?? '',
  ]
  return `| ${cells.join(' | ')} |`
}

function measureLarge(): void {
  const scale = Number(flags.scale ?? 1)
  const folder = join(flags.folder, 'large')
  const steps: Step[] = []
  const told = (step: Step): void => {
    steps.push(step)
    const { seconds, cpuSeconds, peak } = step.measured
    console.log(
      `| ${step.name} | ${seconds.toFixed(1)} | ${cpuSeconds.toFixed(1)} | ${formatBytes(peak)} | ${formatBytes(step.most)} |`,
    )
  }
  console.log('| work | seconds | CPU s | peak memory | at most |\n|---|---:|---:|---:|---:|')
  for (const [name, work] of Object.entries({ files: backUpManyFiles, 'large file': backUpLargeFile })) {
    if (!name.startsWith(flags.only)) continue
    rmSync(folder, { recursive: true, force: true })
    work({ folder, scale, seed: flags.seed, told })
  }
  rmSync(folder, { recursive: true, force: true })
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(steps, null, 2)}\n`)
  fail(
    steps
      .filter(({ measured, most }) => measured.peak > most)
      .map(
        ({ name, measured, most }) => `${name}: ${formatBytes(measured.peak)} of memory, at most ${formatBytes(most)}`,
      ),
  )
}

function fail(reasons: readonly string[]): void {
  for (const reason of reasons) console.error(reason)
  if (reasons.length > 0) process.exitCode = 1
}
