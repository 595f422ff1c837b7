import type { Finding } from './finding.ts'
import { longestGap } from './late.ts'
import type { RestoreTesting, RestoreTestInterval } from './restore-testing.ts'
import type { Schedule } from './schedule.ts'

/** One restore test of one snapshot. Moments are milliseconds since 1970, UTC. */
export interface RestoreTestRecord {
  readonly id: string
  readonly project: string
  readonly vault: string
  /** Empty when none could be chosen. */
  readonly snapshot: string
  /**
   * `passed`: everything that was asked is as it must be. `failed`: the backup is not what it must be. `impossible`: it could not
   * be asked, which says nothing of the backup.
   */
  readonly status: 'passed' | 'failed' | 'impossible' | 'cancelled'
  readonly startedAt: number
  readonly endedAt: number
  /** How long it took until the copy could be used: the time to restore. */
  readonly restoreSeconds: number
  readonly files: number
  readonly bytes: number
  readonly rows: number
  /** How many things were asked. */
  readonly questions: number
  readonly findings: readonly Finding[]
  readonly who: string
}

/** After the runs of the night, and before people work. */
const at = { hour: 6, minute: 0 }
/** Not parsed from text, because reading a pattern of cron takes longer than all else that starts a command. */
const schedules: Readonly<Record<Exclude<RestoreTestInterval, 'never' | 'after each run'>, Schedule>> = {
  daily: { kind: 'daily', at },
  weekly: { kind: 'weekly', weekday: 'sunday', at },
  monthly: { kind: 'monthly', day: 1, at },
  quarterly: { kind: 'cron', pattern: '0 6 1 1,4,7,10 *' },
  yearly: { kind: 'cron', pattern: '0 6 1 1 *' },
}

/** When restores are tested by the calendar; undefined: never, or after each run. */
export function testSchedule({ schedule }: Pick<RestoreTesting, 'schedule'>): Schedule | undefined {
  if (typeof schedule !== 'string') return schedule
  return schedule === 'never' || schedule === 'after each run' ? undefined : schedules[schedule]
}

const dayMs = 24 * 60 * 60_000
/** How long a test may still come after its time: some days on which nothing ran. */
const graceMs = 7 * dayMs

/**
 * How long ago the last good test may be, in milliseconds.
 *
 * @param runs - when backups are made: what is tested after each run is tested as often.
 * @returns undefined when nobody wants tests.
 */
export function testedWithin(testing: Pick<RestoreTesting, 'schedule'>, runs: Schedule): number | undefined {
  if (testing.schedule === 'never') return undefined
  const gap = longestGap(testSchedule(testing) ?? runs)
  return gap + Math.min(graceMs, Math.max(2 * dayMs, gap / 2))
}
