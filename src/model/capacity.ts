import type { Duration } from './duration.ts'
import type { Price } from './vault.ts'

/** What a vault took at one moment: milliseconds since 1970, UTC; sizes in bytes. */
export interface VaultMeasurement {
  readonly vault: string
  readonly at: number
  readonly repositories: readonly RepositorySize[]
  /** Absent where the place does not tell. */
  readonly space?: { readonly sizeBytes: number; readonly freeBytes: number }
}

export interface RepositorySize {
  readonly project: string
  readonly files: number
  /** Older versions of files counted. */
  readonly bytes: number
  /** Of these, what older versions of files take: only S3 has them. */
  readonly olderBytes: number
}

/** How full a vault is, and what it costs. */
export interface Capacity {
  readonly usedBytes: number
  readonly totalBytes?: number
  readonly freeBytes?: number
  /** Negative when it shrinks; absent when it was not watched for two days. */
  readonly growthBytesPerDay?: number
  /** When there will be no room left if it goes on like that; absent when it does not grow, or not within a century. */
  readonly fullAt?: number
}

const dayMs = 24 * 60 * 60 * 1000
/** Measurements that tell how a vault grows: what was longer ago says little of tomorrow. */
export const growthDays = 90
const centuryDays = 36_525

/** The bytes of all repositories together. */
export function usedBytes({ repositories }: Pick<VaultMeasurement, 'repositories'>): number {
  return repositories.reduce((sum, { bytes }) => sum + bytes, 0)
}

/**
 * How full a vault is by its latest measurement, and how it grows by all.
 *
 * Where the configuration says how much it holds, what others keep at the same place may leave less.
 *
 * @param measurements - of one vault, in any order, at least one.
 */
export function judgeCapacity(measurements: readonly VaultMeasurement[], capacityBytes: number | undefined): Capacity {
  const latest = measurements.reduce((newest, one) => (one.at > newest.at ? one : newest))
  const used = usedBytes(latest)
  const total = capacityBytes ?? latest.space?.sizeBytes
  const rooms = [
    ...(capacityBytes === undefined ? [] : [capacityBytes - used]),
    ...(latest.space ? [latest.space.freeBytes] : []),
  ]
  const free = rooms.length === 0 ? undefined : Math.max(0, Math.min(...rooms))
  const growth = growthOf(measurements)
  const daysLeft = free === undefined || growth === undefined || growth <= 0 ? undefined : free / growth
  return {
    usedBytes: used,
    ...(total !== undefined && { totalBytes: total }),
    ...(free !== undefined && { freeBytes: free }),
    ...(growth !== undefined && { growthBytesPerDay: growth }),
    ...(daysLeft !== undefined && daysLeft < centuryDays && { fullAt: latest.at + Math.round(daysLeft * dayMs) }),
  }
}

/**
 * Bytes that a vault grows in a day: the median of the slopes between all pairs of days, so that neither one large first
 * backup nor copies that come once a week lead astray. Undefined with under two days.
 */
export function growthOf(measurements: readonly VaultMeasurement[]): number | undefined {
  const newest = Math.max(...measurements.map(({ at }) => at))
  const byDay = new Map<number, VaultMeasurement>()
  for (const one of measurements.toSorted((a, b) => a.at - b.at)) {
    if (newest - one.at <= growthDays * dayMs) byDay.set(Math.floor(one.at / dayMs), one)
  }
  const days = [...byDay.values()]
  if (days.length < 2 || days.at(-1)!.at - days[0]!.at < 2 * dayMs) return undefined
  const slopes = days.flatMap((later, index) =>
    days.slice(0, index).map((earlier) => (usedBytes(later) - usedBytes(earlier)) / ((later.at - earlier.at) / dayMs)),
  )
  return Math.round(median(slopes))
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** What one project costs in a vault. */
export interface ProjectCost {
  readonly perMonth: number
  /** For as long as the project keeps its backups there, at today's size; absent when it says no term. */
  readonly overTerm?: number
}

/** @returns the price of a month, in the price's own currency. */
export function monthlyPrice({ amount, per }: Price): number {
  return per === 'month' ? amount : amount / 12
}

/**
 * A project's part of a vault's price: its share of the bytes.
 *
 * @param share - 0 to 1.
 * @param term - how long its backups are kept there.
 */
export function costOf(price: Price, share: number, term: Duration | undefined): ProjectCost {
  const perMonth = monthlyPrice(price) * share
  return { perMonth, ...(term && { overTerm: perMonth * monthsOf(term) }) }
}

const daysPerMonth = 365.25 / 12

function monthsOf({ amount, unit }: Duration): number {
  switch (unit) {
    case 'year':
      return amount * 12
    case 'month':
      return amount
    case 'week':
      return (amount * 7) / daysPerMonth
    case 'day':
      return amount / daysPerMonth
    case 'hour':
      return amount / 24 / daysPerMonth
    case 'minute':
      return amount / 1440 / daysPerMonth
    default:
      return unit satisfies never
  }
}
