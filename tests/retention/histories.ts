import type { OracleCase, OracleHold, OraclePolicy, OracleSnapshot, OracleTerm } from './oracle.ts'

const hour = 3_600_000
const day = 24 * hour
/** Zones with large offsets and small, clocks that change by half an hour, at midnight, and one that left out a whole day. */
const timezones = [
  'Europe/Amsterdam',
  'Europe/Amsterdam',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'UTC',
]
const gaps = [hour, 4 * hour, day, day, day, 7 * day, 31 * day]
const first = Date.UTC(2010, 0, 1)
const last = Date.UTC(2036, 0, 1)

/** A small generator of chance: the same numbers for the same seed, 0 to 1. */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A history that might have happened: backups by a schedule, with gaps, clocks that were wrong, and forgeries. */
export function historyOf(seed: number): OracleCase {
  const chance = chanceOf(seed)
  const among = <T>(values: readonly T[]): T => values[Math.floor(chance() * values.length)]!
  const upTo = (most: number): number => Math.floor(chance() * (most + 1))
  const timezone = among(timezones)
  const gap = among(gaps)
  let clock = beginning(chance, among)
  let wrongBy = 0
  const snapshots: OracleSnapshot[] = []
  const count = 1 + upTo(chance() < 0.1 ? 120 : 35)
  for (let number = 1; number <= count; number++) {
    clock += gap * (chance() < 0.1 ? 1 + upTo(12) : 1) + (chance() < 0.3 ? upTo(hour) : 0)
    if (chance() < 0.04) wrongBy = (chance() - 0.5) * 2 * among([hour, day, 40 * day, 900 * day])
    else if (chance() < 0.2) wrongBy = 0
    const start = Math.round(clock + wrongBy)
    snapshots.push({
      id: `made-${number}`,
      claimed: start,
      firstSeen: start + upTo(chance() < 0.2 ? 20 * day : hour),
      made: { number, start, isComplete: chance() > 0.1 },
      isProven: chance() < 0.15,
      isMissingInCopy: chance() < 0.03,
    })
  }
  if (chance() < 0.1) snapshots.splice(upTo(count - 1), upTo(count - 1)) // because some went before
  const forgeries = chance() < 0.4 ? upTo(12) : 0
  const begin = clock - count * gap
  for (let nth = 1; nth <= forgeries; nth++) {
    snapshots.push({
      id: `foreign-${nth}`,
      claimed: Math.round(begin + (chance() * 1.6 - 0.3) * (clock - begin)),
      firstSeen: Math.round(begin + chance() * (clock - begin + gap)),
      isProven: chance() < 0.1,
      isMissingInCopy: false,
    })
  }
  const now = Math.round(clock + (chance() - 0.15) * gap * among([0.5, 2, 10, 60]))
  return {
    snapshots: shuffled(snapshots, chance),
    policy: policyOf(chance, upTo, among, gap),
    holds: chance() < 0.15 ? [holdOf(chance, among, snapshots, now)] : [],
    isLockedVault: chance() < 0.15,
    timezone,
    now,
  }
}

/** Anywhere in a quarter of a century, and more often just before a change of the clock, a leap day or the end of a year. */
function beginning(chance: () => number, among: <T>(values: readonly T[]) => T): number {
  if (chance() < 0.5) return Math.round(first + chance() * (last - first))
  const year = 2011 + Math.floor(chance() * 24)
  const near = among([Date.UTC(year, 2, 25), Date.UTC(year, 9, 24), Date.UTC(year, 11, 20), Date.UTC(year, 1, 20)])
  return Math.round(near + chance() * 6 * day)
}

function policyOf(
  chance: () => number,
  upTo: (most: number) => number,
  among: <T>(values: readonly T[]) => T,
  gap: number,
): OraclePolicy {
  const documented: OraclePolicy[] = [
    { daily: 7, weekly: 4, monthly: 3, prune: 'automatic' },
    { within: { amount: 30, unit: 'day' }, prune: 'automatic' },
    { for: { amount: 7, unit: 'year' }, prune: 'automatic' },
  ]
  if (chance() < 0.3) return among(documented)
  const rules: { -readonly [K in keyof OraclePolicy]: OraclePolicy[K] } = {
    prune: chance() < 0.03 ? 'never' : 'automatic',
  }
  for (const rule of ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const)
    if (chance() < 0.25) rules[rule] = 1 + upTo(chance() < 0.2 ? 40 : 8)
  if (chance() < 0.25) rules.within = termOf(upTo, among, gap)
  if (chance() < 0.25) rules.for = termOf(upTo, among, gap)
  return Object.keys(rules).length > 1 ? rules : { ...rules, daily: 3 }
}

function termOf(upTo: (most: number) => number, among: <T>(values: readonly T[]) => T, gap: number): OracleTerm {
  const units =
    gap < day ? (['minute', 'hour', 'day', 'week'] as const) : (['hour', 'day', 'week', 'month', 'year'] as const)
  const unit = among(units)
  return { unit, amount: 1 + upTo(unit === 'year' ? 6 : unit === 'minute' ? 5000 : 40) }
}

function holdOf(
  chance: () => number,
  among: <T>(values: readonly T[]) => T,
  snapshots: readonly OracleSnapshot[],
  now: number,
): OracleHold {
  const until = new Date(now + (chance() - 0.5) * 6 * day).toISOString().slice(0, 10)
  return {
    ...(chance() < 0.7 && snapshots.length > 0 && { snapshot: among(snapshots).id }),
    ...(chance() < 0.7 && { until }),
  }
}

function shuffled<T>(values: readonly T[], chance: () => number): T[] {
  const mixed = [...values]
  for (let nth = mixed.length - 1; nth > 0; nth--) {
    const other = Math.floor(chance() * (nth + 1))
    ;[mixed[nth], mixed[other]] = [mixed[other]!, mixed[nth]!]
  }
  return mixed
}
