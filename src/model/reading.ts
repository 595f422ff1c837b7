import type { VerificationRecord } from './record.ts'
import { sliceCount } from './verification-slices.ts'

const dayMs = 24 * 60 * 60_000
/** Within so many days every byte of a vault is to be read back: thirty, and some for days on which nothing ran. */
export const readWithinDays = 30 + 5

/** What is known of reading a project back from a vault. */
export interface Reading {
  /** When this catalog first saw a backup come there: milliseconds since 1970. */
  readonly since: number
  readonly verifications: readonly Pick<VerificationRecord, 'status' | 'startedAt' | 'share' | 'slices'>[]
}

/**
 * How much was read back in the time in which all has to be, 0 to 1: the slices, each once, and the shares that were drawn by
 * lot. What was found damaged was read too.
 */
export function shareRead({ verifications }: Reading, now: number): number {
  const read = verifications.filter(
    ({ status, startedAt }) =>
      (status === 'sound' || status === 'damaged') && startedAt <= now && now - startedAt <= readWithinDays * dayMs,
  )
  const slices = new Set(read.flatMap((one) => one.slices ?? []))
  const drawn = read.reduce((sum, one) => (one.slices ? sum : sum + one.share), 0)
  const share = slices.size / sliceCount + drawn
  // because thirty times a thirtieth is not quite one in binary
  return share > 1 - 1e-9 ? 1 : share
}

/** Whether all was read back in time. A vault that got its first backup since then has time left. */
export function isReadInTime(reading: Reading, now: number): boolean {
  return now - reading.since <= readWithinDays * dayMs || shareRead(reading, now) === 1
}
