/**
 * Times as restic writes them: RFC 3339 with up to nine digits of a fraction; on our side nanoseconds since 1970, UTC.
 *
 * Source: restic-format §9.5; Go 1.19 time.Time.
 */
import { damaged } from './errors.ts'

const billion = 1_000_000_000n
const nsPerEra = 146_097n * 86_400n * billion // 400 years, after which the calendar repeats itself
const firstSecond = -62_167_219_200 // of the year 0
const lastSecond = 253_402_300_799 // of the year 9999

/** What a time is that a document does not have: 0001-01-01T00:00:00Z, as in Go. */
export const missingTime = -62_135_596_800n * billion

/** Bytes of the longest text of a time. */
export const longestTime = 30

/**
 * The time in UTC, without the zeros at the end of its fraction. A year before 0 becomes 0 and one after 9999 becomes 9999;
 * month, day and clock stay, as restic does it.
 */
export function formatTime(ns: bigint): string {
  const bytes = Buffer.allocUnsafe(longestTime)
  return bytes.toString('latin1', 0, writeTime(bytes, 0, ns))
}

/** Writes what {@link formatTime} gives to `bytes` from `start` on, and returns where it ends. */
export function writeTime(bytes: Uint8Array, start: number, ns: bigint): number {
  let seconds = Number(ns / billion)
  let fraction = Number(ns % billion)
  if (fraction < 0) {
    fraction += 1_000_000_000
    seconds -= 1
  }
  if (seconds < firstSecond || seconds > lastSecond) return writeFarTime(bytes, start, ns)
  const day = Math.floor(seconds / 86_400)
  writeDate(bytes, start, day)
  bytes[start + 4] = bytes[start + 7] = 0x2d
  bytes[start + 10] = 0x54
  const inDay = seconds - day * 86_400
  const minute = (inDay / 60) | 0
  writeTwo(bytes, start + 11, (minute / 60) | 0)
  writeTwo(bytes, start + 14, minute % 60)
  writeTwo(bytes, start + 17, inDay % 60)
  bytes[start + 13] = bytes[start + 16] = 0x3a
  const end = fraction === 0 ? start + 19 : writeFraction(bytes, start + 19, fraction)
  bytes[end] = 0x5a
  return end + 1
}

function writeTwo(bytes: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0
  bytes[at] = 0x30 + tens
  bytes[at + 1] = 0x30 + value - tens * 10
}

/** Year, month and day, by counting in years that begin in March: then the leap day is the last of its year. */
function writeDate(bytes: Uint8Array, at: number, day: number): void {
  const sinceMarch = day + 719_468 // days since 1 March of the year 0
  const era = Math.floor(sinceMarch / 146_097)
  const inEra = sinceMarch - era * 146_097
  const yearInEra = ((inEra - ((inEra / 1460) | 0) + ((inEra / 36_524) | 0) - ((inEra / 146_096) | 0)) / 365) | 0
  const inYear = inEra - (yearInEra * 365 + ((yearInEra / 4) | 0) - ((yearInEra / 100) | 0))
  const monthFromMarch = ((inYear * 5 + 2) / 153) | 0
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = era * 400 + yearInEra + (month <= 2 ? 1 : 0)
  writeTwo(bytes, at, (year / 100) | 0)
  writeTwo(bytes, at + 2, year % 100)
  writeTwo(bytes, at + 5, month)
  writeTwo(bytes, at + 8, inYear - (((monthFromMarch * 153 + 2) / 5) | 0) + 1)
}

function writeFraction(bytes: Uint8Array, at: number, ns: number): number {
  bytes[at] = 0x2e
  let end = at + 10
  let rest = ns
  while (rest % 10 === 0) {
    rest = rest / 10
    end--
  }
  for (let place = end - 1; place > at; place--) {
    const next = (rest / 10) | 0
    bytes[place] = 0x30 + rest - next * 10
    rest = next
  }
  return end
}

function writeFarTime(bytes: Uint8Array, start: number, ns: bigint): number {
  const inEra = ns % nsPerEra
  const near = formatTime(inEra < 0n ? inEra + nsPerEra : inEra).slice(4)
  const text = ns < 0n ? `0000${near}` : `9999${near}`.replace('9999-02-29', '9999-03-01')
  return start + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).write(text, start, 'latin1')
}

/**
 * Nanoseconds since 1970 of an RFC 3339 time with any zone; digits after the ninth are dropped.
 *
 * @param what - the kind of document it stands in, for the error.
 * @throws `format.damaged` when it is none: no zone, a day that its month does not have, a 60th second.
 */
export function parseTime(text: string, what = 'time'): bigint {
  const day = parseDay(text)
  const hour = digitsAt(text, 11)
  const minute = digitsAt(text, 14)
  const second = digitsAt(text, 17)
  const zoneAt = endOfFraction(text)
  const zone = parseZone(text, zoneAt)
  const marksAreRight = text[10] === 'T' && text[13] === ':' && text[16] === ':'
  if (!(marksAreRight && hour <= 23 && minute <= 59 && second <= 59)) throw notATime(text, what)
  const seconds = day * 86_400 + hour * 3600 + minute * 60 + second - zone
  if (Number.isNaN(seconds)) throw notATime(text, what)
  return BigInt(seconds) * billion + BigInt(fractionOf(text, zoneAt))
}

function notATime(text: string, what: string): Error {
  return damaged(what, `${JSON.stringify(text.slice(0, 40))} is not a time as in RFC 3339`)
}

/** Two digits, or NaN. */
function digitsAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

/** Days since 1970 of the date that `text` begins with, or NaN. */
function parseDay(text: string): number {
  const year = digitsAt(text, 0) * 100 + digitsAt(text, 2)
  const month = digitsAt(text, 5)
  const day = digitsAt(text, 8)
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const length = daysInMonth[month - 1] ?? 0
  const isInMonth = day >= 1 && day <= length && (isLeap || month !== 2 || day <= 28)
  if (!isInMonth || text[4] !== '-' || text[7] !== '-') return Number.NaN
  const leapDays = (years: number): number => Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400)
  const before = daysBeforeMonth[month - 1]! + (isLeap && month > 2 ? 1 : 0)
  return (year - 1970) * 365 + leapDays(year - 1) - leapDays(1969) + before + day - 1
}

/** Where the zone begins: after the seconds and their fraction. */
function endOfFraction(text: string): number {
  if (text[19] !== '.') return 19
  let at = 20
  while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++
  return at === 20 ? 19 : at
}

function fractionOf(text: string, zoneAt: number): number {
  let value = 0
  for (let at = 20; at < 29; at++) value = value * 10 + (at < zoneAt ? text.charCodeAt(at) - 0x30 : 0)
  return value
}

/** Seconds east of Greenwich, or NaN. */
function parseZone(text: string, at: number): number {
  const sign = text[at]
  if (sign === 'Z' && text.length === at + 1) return 0
  const hours = digitsAt(text, at + 1)
  const minutes = digitsAt(text, at + 4)
  const isZone = (sign === '+' || sign === '-') && text[at + 3] === ':' && text.length === at + 6
  if (!isZone || !(hours <= 24) || !(minutes <= 60)) return Number.NaN
  return (hours * 3600 + minutes * 60) * (sign === '-' ? -1 : 1)
}
