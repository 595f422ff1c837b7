import { endOfTerm, onClock } from './calendar.ts'
import type { Duration } from './duration.ts'
import { modelError } from './errors.ts'
import type { Project } from './project.ts'
import type { RetentionPolicy } from './retention.ts'
import type { Vault } from './vault.ts'

/**
 * Until when what a project stores in a vault at a moment has to be locked there; undefined for a vault that locks nothing.
 *
 * A term in years lasts to the end of its calendar year, and any other to the end of its day or, from thirty days on, of
 * its week: so the backups of some days share their date, and what they share need not be locked anew each time.
 *
 * @param time - milliseconds since 1970, UTC.
 * @param timezone - IANA name.
 * @throws `vault.lock-term` when the project gives the vault no term.
 */
export function lockTerm(
  vault: Pick<Vault, 'name' | 'objectLock'>,
  { name, keep }: Pick<Project, 'name' | 'keep'>,
  time: number,
  timezone: string,
): Temporal.Instant | undefined {
  if (!vault.objectLock) return undefined
  const policy = keep.get(vault.name)
  const until = policy && lockEnd(policy, time, timezone)
  if (!until) throw modelError('vault.lock-term', { vault: vault.name, project: name })
  return until
}

/** The same by the policy alone; undefined when it has no term. */
export function lockEnd(policy: RetentionPolicy, time: number, timezone: string): Temporal.Instant | undefined {
  const terms = [policy.for, policy.within].filter((term) => term !== undefined)
  if (terms.length === 0) return undefined
  const now = onClock(time, timezone)
  const ends = terms.map((term) => endOf(term, now).toInstant())
  return ends.reduce((latest, end) => (Temporal.Instant.compare(end, latest) > 0 ? end : latest))
}

function endOf(term: Duration, now: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const end = endOfTerm(term, now)
  if (term.unit === 'year') return end
  const isLong = Temporal.Duration.compare(now.until(end.subtract({ days: 1 })), { days: 29 }, { relativeTo: now }) > 0
  const weekend = end.add({ days: (8 - end.dayOfWeek) % 7 })
  return isLong ? weekend.startOfDay() : end
}
