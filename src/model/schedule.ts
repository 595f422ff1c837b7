import { Cron } from 'croner'

import { textOf } from '#base'
import { modelError } from './errors.ts'

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
export type Weekday = (typeof weekdays)[number]

/** A time of day in the organisation's time zone. */
export interface TimeOfDay {
  /** 0 to 23. */
  readonly hour: number
  /** 0 to 59. */
  readonly minute: number
}

/** When a run should start. A day of a month is 1 to 28 or the last one, so that no month goes without. */
export type Schedule =
  | { readonly kind: 'daily'; readonly at: TimeOfDay }
  | { readonly kind: 'weekly'; readonly weekday: Weekday; readonly at: TimeOfDay }
  | { readonly kind: 'monthly'; readonly day: number | 'last'; readonly at: TimeOfDay }
  | { readonly kind: 'every'; readonly amount: number; readonly unit: 'minute' | 'hour' }
  | { readonly kind: 'cron'; readonly pattern: string }

/** Reads the forms of the configuration, in any case and spacing. @throws `schedule.invalid`. */
export function parseSchedule(text: string): Schedule {
  const refuse = (reason: string): Error => modelError('schedule.invalid', { text: JSON.stringify(text), reason })
  const [kind = '', ...words] = text.trim().split(/\s+/)
  switch (kind.toLowerCase()) {
    case 'daily':
      if (words.length !== 1) throw refuse('daily needs one time')
      return { kind: 'daily', at: timeOfDay(words[0]!, refuse) }
    case 'weekly':
      if (words.length !== 2) throw refuse('weekly needs a day and a time')
      return { kind: 'weekly', weekday: parseWeekday(words[0]!, refuse), at: timeOfDay(words[1]!, refuse) }
    case 'monthly':
      if (words.length !== 2) throw refuse('monthly needs a day of the month and a time')
      return { kind: 'monthly', day: parseDay(words[0]!, refuse), at: timeOfDay(words[1]!, refuse) }
    case 'every':
      return parseEvery(words.join(' '), refuse)
    case 'cron':
      return { kind: 'cron', pattern: parsePattern(words.join(' '), refuse) }
    default:
      throw refuse('it begins with none of daily, weekly, monthly, every, cron')
  }
}

/** The form that {@link parseSchedule} reads. */
export function formatSchedule(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'daily':
      return `daily ${formatTimeOfDay(schedule.at)}`
    case 'weekly':
      return `weekly ${schedule.weekday} ${formatTimeOfDay(schedule.at)}`
    case 'monthly':
      return `monthly ${schedule.day} ${formatTimeOfDay(schedule.at)}`
    case 'every':
      return `every ${schedule.amount} ${schedule.unit}${schedule.amount === 1 ? '' : 's'}`
    case 'cron':
      return `cron "${schedule.pattern}"`
    default:
      return schedule satisfies never
  }
}

type Refuse = (reason: string) => Error

/** Reads `08:00`. @throws `time.invalid`. */
export function parseTimeOfDay(text: string): TimeOfDay {
  return timeOfDay(text, () => modelError('time.invalid', { text: JSON.stringify(text) }))
}

function timeOfDay(text: string, refuse: Refuse): TimeOfDay {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text)
  const [hour, minute] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || hour > 23 || minute > 59) throw refuse(`${JSON.stringify(text)} is not a time from 00:00 to 23:59`)
  return { hour, minute }
}

/** The form that {@link parseTimeOfDay} reads. */
export function formatTimeOfDay({ hour, minute }: TimeOfDay): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}

function parseWeekday(text: string, refuse: Refuse): Weekday {
  const word = text.toLowerCase()
  const found = weekdays.find((weekday) => weekday === word || weekday.slice(0, 3) === word)
  if (!found) throw refuse(`${JSON.stringify(text)} is not a day of the week`)
  return found
}

function parseDay(text: string, refuse: Refuse): number | 'last' {
  if (text.toLowerCase() === 'last') return 'last'
  const day = /^\d{1,2}$/.test(text) ? Number(text) : 0
  if (day < 1 || day > 28) throw refuse(`the day of the month ${JSON.stringify(text)} is not 1 to 28 or last`)
  return day
}

function parseEvery(text: string, refuse: Refuse): Schedule {
  const match = /^(?:([1-9]\d{0,3}) )?(minute|hour)s?$/i.exec(text)
  if (!match) throw refuse('every needs a number of hours or minutes')
  const amount = Number(match[1] ?? 1)
  const unit = match[2]!.toLowerCase() as 'minute' | 'hour'
  if (unit === 'minute' ? amount > 1440 : amount > 168) throw refuse(`${amount} ${unit}s is too long, use weekly`)
  return { kind: 'every', amount, unit }
}

function parsePattern(text: string, refuse: Refuse): string {
  const pattern = /^"([^"]*)"$|^'([^']*)'$/.exec(text)
  const bare = (pattern?.[1] ?? pattern?.[2] ?? text).trim()
  let next: Date | null
  try {
    next = new Cron(bare, { mode: '5-part', timezone: 'UTC', paused: true }).nextRun(new Date(0))
  } catch (error) {
    throw refuse(textOf(error).replace(/^CronPattern: /, ''))
  }
  if (!next) throw refuse('it names a moment that never comes')
  return bare
}

/**
 * The latest moment that a pattern of `cron` names, at or before `wall`; undefined when there is none.
 *
 * Both are what a clock on the wall shows, read as if it were UTC: milliseconds since 1970. So it knows nothing of changes
 * of the clock.
 */
export function latestMatch(pattern: string, wall: number): number | undefined {
  const cron = new Cron(pattern, { mode: '5-part', timezone: 'UTC', paused: true })
  const [latest] = cron.previousRuns(1, new Date(wall + 1000)) // because it looks for what is earlier than that
  return latest?.getTime()
}
