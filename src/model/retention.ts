import { formatDuration, type Duration } from './duration.ts'

/** The rules that count snapshots: the newest of each of the last n hours, days, weeks, months or years; or the last n. */
export const retentionCounts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type RetentionCount = (typeof retentionCounts)[number]

/** Which snapshots of a project a vault keeps; a snapshot that any rule wants is kept. */
export interface RetentionPolicy extends Readonly<Partial<Record<RetentionCount, number>>> {
  /** All that are not older than this. */
  readonly within?: Duration
  /** All, for as long as a duty asks; older ones may go. */
  readonly for?: Duration
  /** `never`: nothing is removed except by a person who asks for it. */
  readonly prune: 'automatic' | 'never'
}

/** In words, for people: `30 days`, `7 daily, 4 weekly`, `7 years, never pruned automatically`. */
export function formatRetention(policy: RetentionPolicy): string {
  const rules = retentionCounts.flatMap((rule) => (policy[rule] === undefined ? [] : [`${policy[rule]} ${rule}`]))
  if (policy.within) rules.unshift(formatDuration(policy.within))
  if (policy.for) rules.push(`for ${formatDuration(policy.for)}`)
  if (policy.prune === 'never') rules.push('never pruned automatically')
  return rules.join(', ')
}
