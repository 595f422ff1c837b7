const minuteMs = 60_000

/** How long after the beginning of an attempt that failed the next one is made: the first, second, third, and all further. */
const retryMs = [5, 15, 60, 360].map((minutes) => minutes * minuteMs)
/** How long to leave alone what another process is doing. */
const lookAgainMs = minuteMs
/** Between two projects that catch up what they missed while nothing ran. */
const spreadMs = minuteMs

/** One attempt at what a slot asks for. Moments are milliseconds since 1970, UTC. */
export interface Attempt {
  /** The slot that it was made for; absent when a person asked for it. */
  readonly slot?: number
  readonly startedAt: number
  /** `done` is whatever need not be tried again, also with findings. */
  readonly outcome: 'running' | 'done' | 'failed' | 'cancelled'
}

/** What is due now, or when to look again: then at the latest, and not for nothing before. */
export type Due =
  | { readonly isDue: true; readonly slot: number; /** 1 for the first. */ readonly attempt: number }
  | { readonly isDue: false; readonly at: number }

/**
 * Whether the latest slot of a schedule still wants an attempt.
 *
 * A slot is met by one success, whoever asked for it: an attempt for this very slot, or one that was begun since. So a
 * slot that was missed is caught up once, also when it was one of many, and one that was met stays met when the clock
 * jumps back. What failed is tried again 5, 15 and 60 minutes after it was begun, and then every 6 hours, until the next slot
 * comes; what was cut off on purpose, at once.
 *
 * @param times - the latest slot at `now`, and the one after it; each undefined when there is none.
 * @param attempts - all that were begun at that slot or later, in any order. Others do no harm.
 */
export function judgeDue(
  times: { readonly slot: number | undefined; readonly next: number | undefined },
  attempts: readonly Attempt[],
  now: number,
): Due {
  const { slot, next = Infinity } = times
  if (slot === undefined) return { isDue: false, at: next }
  const own = attempts.filter((attempt) => attempt.slot === slot)
  // because what was begun by a clock that was ahead must not keep anything from being done for long
  const since = attempts.filter(({ startedAt }) => startedAt >= slot && startedAt <= now)
  if ([...own, ...since].some(({ outcome }) => outcome === 'done')) return { isDue: false, at: next }
  if (attempts.some(({ outcome }) => outcome === 'running')) return lookAgain(now, next)
  const failed = own.filter(({ outcome }) => outcome === 'failed')
  const tryAt = retryAt(failed)
  return tryAt <= now ? { isDue: true, slot, attempt: failed.length + 1 } : { isDue: false, at: Math.min(tryAt, next) }
}

function lookAgain(now: number, next: number): Due {
  return { isDue: false, at: Math.min(now + lookAgainMs, next) }
}

/** When what has failed so often is tried again: at once when it has not. */
export function retryAt(failed: readonly Pick<Attempt, 'startedAt'>[]): number {
  if (failed.length === 0) return -Infinity
  const latest = Math.max(...failed.map(({ startedAt }) => startedAt))
  return latest + retryMs[Math.min(failed.length, retryMs.length) - 1]!
}

/**
 * When a slot is begun that came before `since`, when nothing did what was due: the projects follow each other, so that a long
 * stop does not end with all of them at once.
 *
 * @param position - of the project among all, from 0.
 */
export function catchUpAt(slot: number, since: number, position: number): number {
  return slot < since ? since + position * spreadMs : slot
}
