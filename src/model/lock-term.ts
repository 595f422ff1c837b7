import type { Duration } from './duration.ts'
import { modelError } from './errors.ts'
import type { Project } from './project.ts'
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
  const terms = [policy?.for, policy?.within].filter((term) => term !== undefined)
  if (terms.length === 0) throw modelError('vault.lock-term', { vault: vault.name, project: name })
  const now = Temporal.Instant.fromEpochMilliseconds(Math.trunc(time)).toZonedDateTimeISO(timezone)
  const ends = terms.map((term) => endOf(term, now).toInstant())
  return ends.reduce((latest, end) => (Temporal.Instant.compare(end, latest) > 0 ? end : latest))
}

function endOf({ amount, unit }: Duration, now: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const end = now.add({ [`${unit}s`]: amount }).startOfDay()
  if (unit === 'year') return end.with({ month: 1, day: 1 }).add({ years: 1 })
  const isLong = Temporal.Duration.compare(now.until(end), { days: 29 }, { relativeTo: now }) > 0
  return end.add({ days: isLong ? 8 - end.dayOfWeek : 1 })
}
