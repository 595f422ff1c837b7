import { readFileSync, writeFileSync } from 'node:fs'

import { estimate, type Estimate, type Outcome, type Rows } from './outcomes.ts'

/** What one case may take at most on the small data of the quick bench. */
export interface Bound {
  /** CPU seconds by those of the reference in the same round. */
  readonly cpu?: number
  /** Bytes by those that the reference stores. */
  readonly stored?: number
  /** Megabytes (1000 × 1000 bytes) of the largest process. */
  readonly memory?: number
}

/** By case; the quick bench runs the cases that are named here. */
export type Bounds = Readonly<Record<string, Bound>>

/** What is judged, and what it is compared with: restic, or a bare start of Node where restic has nothing like it. */
export const judged = 'bewaar'
const references = ['restic', 'node']
/** CPU time may grow by so much before it counts, the rest by so much. */
const leeway = { cpu: 1.15, stored: 1.02, memory: 1.15 }
const megabyte = 1e6

export function readBounds(path: string | URL): Bounds {
  return JSON.parse(readFileSync(path, 'utf8')) as Bounds
}

/**
 * What is worse than its bound by more than chance explains, in words; empty when all is well.
 *
 * Only CPU time scatters so much that its noise counts.
 */
export function findWorse(outcomes: readonly Outcome[], bounds: Bounds): string[] {
  return outcomes
    .filter(({ program }) => program === judged)
    .flatMap((outcome) => {
      const bound = bounds[outcome.case] ?? {}
      const ratios = outcome.ratios[referenceOf(Object.keys(outcome.ratios)) ?? '']
      const memory = outcome.peak / megabyte
      return [
        isWorse(ratios?.cpuSeconds, bound.cpu) && `${say(ratios!.cpuSeconds)} of the CPU time, at most ${bound.cpu}`,
        isAbove(ratios?.stored, bound.stored) &&
          `${ratios!.stored!.toFixed(3)} of the bytes stored, at most ${bound.stored}`,
        isAbove(memory, bound.memory) && `${memory.toFixed(0)} MB of memory, at most ${bound.memory}`,
      ]
        .filter((text) => text !== false)
        .map((text) => `${outcome.case}: ${text}`)
    })
}

/** Whether more rounds would say more: the median is as near to the bound as chance may have brought it. */
export function isUndecided(rows: Rows, bound: Bound | undefined): boolean {
  const reference = rows.get(referenceOf([...rows.keys()]) ?? '')
  const ours = rows.get(judged)
  if (bound?.cpu === undefined || !reference || !ours) return false
  const ratio = estimate(ours.map(({ measured }, nth) => measured.cpuSeconds / reference[nth]!.measured.cpuSeconds))
  return Math.abs(ratio.median - bound.cpu) <= ratio.noise
}

/** Bounds of what was measured, with some leeway; those of cases that were not measured stay. */
export function recordBounds(path: string | URL, outcomes: readonly Outcome[], before: Bounds): void {
  const measured = outcomes
    .filter(({ program }) => program === judged)
    .map((outcome): [string, Bound] => {
      const ratios = outcome.ratios[referenceOf(Object.keys(outcome.ratios)) ?? '']
      const bound = {
        ...(ratios && { cpu: roundUp(ratios.cpuSeconds.median * leeway.cpu, 100) }),
        ...(ratios?.stored !== undefined && { stored: roundUp(ratios.stored * leeway.stored, 1000) }),
        memory: roundUp((outcome.peak / megabyte) * leeway.memory, 1),
      }
      return [outcome.case, bound]
    })
  writeFileSync(path, `${JSON.stringify({ ...before, ...Object.fromEntries(measured) }, null, 2)}\n`)
}

function referenceOf(programs: readonly string[]): string | undefined {
  return references.find((reference) => programs.includes(reference))
}

function isWorse(ratio: Estimate | undefined, bound: number | undefined): boolean {
  return ratio !== undefined && bound !== undefined && ratio.median - ratio.noise > bound
}

function isAbove(value: number | undefined, bound: number | undefined): boolean {
  return value !== undefined && bound !== undefined && value > bound
}

function say({ median, noise }: Estimate): string {
  return `${median.toFixed(2)} ± ${noise.toFixed(2)}`
}

function roundUp(value: number, steps: number): number {
  return Math.ceil(value * steps) / steps
}
