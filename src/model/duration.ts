import { modelError } from './errors.ts'

export const durationUnits = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const
export type DurationUnit = (typeof durationUnits)[number]

/** A length of time in one calendar unit: seven years is not a number of seconds. */
export interface Duration {
  /** A whole number from 1 to 99999. */
  readonly amount: number
  readonly unit: DurationUnit
}

/** Reads `30 days`, `1 year`, `12 hours`. @throws `duration.invalid`. */
export function parseDuration(text: string): Duration {
  const match = /^\s*([1-9]\d{0,4})\s*(minute|hour|day|week|month|year)s?\s*$/i.exec(text)
  if (!match) throw modelError('duration.invalid', { text: JSON.stringify(text) })
  return { amount: Number(match[1]), unit: match[2]!.toLowerCase() as DurationUnit }
}

/** The form that {@link parseDuration} reads: `1 day`, `30 days`. */
export function formatDuration({ amount, unit }: Duration): string {
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`
}
