import type { Span } from './report-span.ts'
import type { Run } from './run.ts'
import type { Schedule } from './schedule.ts'
import { lastSlot, nextSlot } from './slots.ts'

/** How many backups a schedule asked for, and how many of them were made. */
export interface Scheduled {
  readonly due: number
  readonly succeeded: number
}

/** What happened to a project, as far as its schedule is concerned. */
export interface RunHistory {
  /** All that were begun in the span or later. */
  readonly runs: readonly Pick<Run, 'status' | 'startedAt'>[]
  /** When its first run was begun, whenever that was; absent when there was none. */
  readonly firstRunAt?: number
}

/** So long a backup may take until it counts as missing. */
const graceMs = 60 * 60 * 1000

/**
 * Counts the slots of a schedule in a span.
 *
 * A slot succeeded when a run that was begun after it, and before the next slot, is complete: the second attempt, or one that
 * a person started, makes good what failed. Slots before the first run of the project are not counted, nor one whose run is
 * under way or may still come.
 *
 * @param now - not before the end of the span.
 */
export function countScheduled(
  schedule: Schedule,
  { runs, firstRunAt }: RunHistory,
  span: Span,
  now: number,
  timezone: string,
): Scheduled {
  if (firstRunAt === undefined) return { due: 0, succeeded: 0 }
  const since = lastSlot(schedule, firstRunAt, timezone) ?? firstRunAt
  let [due, succeeded] = [0, 0]
  let next = nextSlot(schedule, span.to - 1, timezone) ?? Infinity
  let slot = lastSlot(schedule, span.to - 1, timezone)
  while (slot !== undefined && slot >= Math.max(span.from, since)) {
    const [begin, end] = [slot, next]
    const own = runs.filter(({ startedAt }) => startedAt >= begin && startedAt < end)
    const isMade = own.some(({ status }) => status === 'complete')
    const isOpen = end > now && (now - begin < graceMs || own.some(({ status }) => status === 'running'))
    if (isMade || !isOpen) due += 1
    if (isMade) succeeded += 1
    next = slot
    slot = lastSlot(schedule, slot - 1, timezone)
  }
  return { due, succeeded }
}
