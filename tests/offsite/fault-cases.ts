import { chanceOf } from '../crash/chance.ts'
import type { Direction, ProxyAction, Strike, Traffic } from './proxy.ts'

/** One fault: what goes wrong, in which direction, and where within what a run sends or receives. */
export interface FaultCase {
  readonly nth: number
  readonly action: ProxyAction
  readonly direction: Direction
  /**
   * `bytes`: anywhere among the bytes, most of which are data. `pieces`: about where a piece ended that was sent at once,
   * so that handshakes, questions, answers and renames have their part.
   */
  readonly among: 'bytes' | 'pieces'
  /** 0 to 1. */
  readonly share: number
  /** Bytes off the end of the piece. */
  readonly off: -1 | 0 | 1
  readonly refusals: number
}

const actions: readonly ProxyAction[] = ['cut', 'reset', 'stall', 'slow', 'half-open', 'refuse']
const directions: readonly Direction[] = ['up', 'down']
const ways: readonly FaultCase['among'][] = ['bytes', 'pieces']

/**
 * Faults at `offsets` offsets of each direction: each action as often as any other, the offsets spread evenly over what
 * passes. The same seed, the same cases.
 */
function faultCases(offsets: number, seed: number): FaultCase[] {
  const chance = chanceOf(seed)
  const cases: FaultCase[] = []
  for (let nth = 0; nth < offsets * directions.length; nth++) {
    const round = Math.floor(nth / directions.length)
    cases.push({
      nth,
      action: actions[round % actions.length]!,
      direction: directions[nth % directions.length]!,
      among: ways[Math.floor(round / actions.length) % ways.length]!,
      share: (round + chance.next()) / offsets,
      off: chance.pick([-1, 0, 1] as const),
      refusals: 1 + chance.below(3),
    })
  }
  return cases
}

/** The same, or only those of them whose numbers are in BEWAAR_CASES. */
export function casesOf(offsets: number, seed: number): FaultCase[] {
  const chosen = process.env['BEWAAR_CASES']?.split(',').map(Number)
  return faultCases(offsets, seed).filter(({ nth }) => chosen?.includes(nth) ?? true)
}

/** Where a case strikes a run whose traffic is known. */
export function strikeOf(fault: FaultCase, traffic: Record<Direction, Traffic>): Strike {
  const { action, direction, among, share, off, refusals } = fault
  const { bytes, marks } = traffic[direction]
  const at = among === 'bytes' ? Math.floor(share * bytes) : Math.max(0, marks[Math.floor(share * marks.length)]! + off)
  return { action, direction, at, refusals }
}
