import { formatCount } from '#base'
import type { Finding } from './finding.ts'
import type { FreshQuestion, SqlAssertion } from './restore-testing.ts'

/**
 * Compares rows by table.
 *
 * @returns a finding for each table that is not there or has another number of rows, and a notice for each that nobody knows of.
 */
export function compareRows(
  subject: string,
  expected: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): Finding[] {
  const missing = Object.entries(expected).flatMap(([table, count]): Finding[] => {
    const there = found[table]
    if (there === undefined) return [{ subject, severity: 'damage', text: `the table ${table} is not there` }]
    if (there === count) return []
    const text = `the table ${table} has ${amount(there, 'row')}, and had ${formatCount(count)} when it was backed up`
    return [{ subject, severity: 'damage', text }]
  })
  const unknown = Object.keys(found).filter((table) => !(table in expected))
  const more = unknown.map((table): Finding => ({
    subject,
    severity: 'notice',
    text: `the table ${table} is not in the manifest`,
  }))
  return [...missing, ...more]
}

/** Of a query that is to give one value. @returns what is wrong with it; undefined: nothing. */
export function judgeAnswer(
  { is, atLeast, atMost }: Pick<SqlAssertion, 'is' | 'atLeast' | 'atMost'>,
  rows: readonly (readonly (string | null)[])[],
): string | undefined {
  if (rows.length > 1 || (rows[0]?.length ?? 0) > 1) return `it gives ${shape(rows)} where one value is expected`
  const value = rows[0]?.[0]
  const shown = value === undefined ? 'nothing' : value === null ? 'null' : JSON.stringify(value)
  if (is !== undefined)
    return isSame(value, is) ? undefined : `it gives ${shown} where ${JSON.stringify(is)} is expected`
  const number = value === undefined || value === null || value.trim() === '' ? Number.NaN : Number(value)
  if (atLeast !== undefined && !(number >= atLeast)) return `it gives ${shown} where at least ${atLeast} is expected`
  if (atMost !== undefined && !(number <= atMost)) return `it gives ${shown} where at most ${atMost} is expected`
  if (atLeast !== undefined || atMost !== undefined) return undefined
  const isFalse = value === undefined || value === null || /^(?:0*|f|false|no)$/i.test(value)
  return isFalse ? `it gives ${shown}` : undefined
}

/** Servers write `t`, `1` and `10.00` where people write `true` and `10`. */
function isSame(value: string | null | undefined, expected: string): boolean {
  if (value === null || value === undefined) return false
  if (value === expected) return true
  if (expected === 'true') return value === 't' || value === '1'
  if (expected === 'false') return value === 'f' || value === '0'
  const number = /^-?\d+(?:\.\d+)?$/
  return number.test(value) && number.test(expected) && Number(value) === Number(expected)
}

function shape(rows: readonly (readonly unknown[])[]): string {
  return `${amount(rows.length, 'row')} of ${amount(rows[0]?.length ?? 0, 'column')}`
}

/**
 * Reads the moment of the newest row: seconds or milliseconds since 1970, or text of SQL, which is taken as of `timezone` when it names
 * no zone.
 *
 * @returns milliseconds since 1970; undefined when it is no moment.
 */
export function parseMoment(text: string, timezone: string): number | undefined {
  const trimmed = text.trim()
  if (/^\d{9,10}(?:\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000
  if (/^\d{12,13}$/.test(trimmed)) return Number(trimmed)
  const zoned =
    /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/.exec(trimmed)
  if (!zoned) return undefined
  const [, day, time = '00:00', zone] = zoned
  try {
    if (zone === undefined)
      return Temporal.PlainDateTime.from(`${day}T${time}`).toZonedDateTime(timezone).epochMilliseconds
    const offset = zone === 'Z' || zone.length > 3 ? zone : `${zone}:00`
    return Temporal.Instant.from(`${day}T${time}${offset}`).epochMilliseconds
  } catch {
    return undefined // because February has no 31st day in any database but a broken one
  }
}

/** @returns what is wrong when the newest row is older than it may be, or of the future; undefined: nothing. */
export function judgeFresh(
  { within }: Pick<FreshQuestion, 'within'>,
  answer: string | null | undefined,
  backupAt: number,
  timezone: string,
): string | undefined {
  if (answer === undefined || answer === null || answer === '') return 'there is no newest row'
  const newest = parseMoment(answer, timezone)
  if (newest === undefined) return `${JSON.stringify(answer)} is no moment`
  const made = Temporal.Instant.fromEpochMilliseconds(Math.floor(backupAt)).toZonedDateTimeISO(timezone)
  const oldest = made.subtract({ [`${within.unit}s`]: within.amount }).epochMilliseconds
  if (newest < oldest) {
    return `the newest row is of ${answer}, more than ${within.amount} ${within.unit}${within.amount === 1 ? '' : 's'} before the backup was made`
  }
  return undefined
}

export function amount(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
