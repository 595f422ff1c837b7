import { ageOf } from './age.ts'
import { isFuture } from './clock.ts'
import type { Reason } from './project-facts.ts'

/** What a vault itself says of one project. Moments are milliseconds since 1970, UTC. */
export interface FoundInVault {
  /** When its backups say that they were made, in any order. */
  readonly times: readonly number[]
  /** Snapshots that cannot be read. */
  readonly damaged: number
}

/** What is known of backups by nothing but the vault that they lie in. */
export interface Freshness {
  readonly reasons: readonly Reason[]
  /** Of the newest that does not say that it is of the future. */
  readonly newestAt?: number
}

/**
 * Says whether the newest backup is fresh enough. One that says it is of the future is not believed: whoever can write there
 * could forge it.
 *
 * @param allowed - how old it may be, in milliseconds, by when it was made; undefined: it is never late.
 */
export function judgeFreshness(
  { times, damaged }: FoundInVault,
  allowed: ((newestAt: number) => number) | undefined,
  now: number,
): Freshness {
  const believed = times.filter((time) => !isFuture(time, now))
  const newestAt = believed.length === 0 ? undefined : believed.reduce((a, b) => Math.max(a, b))
  const reasons = [
    ...(damaged > 0 ? [unreadable(damaged)] : []),
    ...(allowed === undefined ? [] : late(newestAt, allowed, now)),
    ...(believed.length < times.length ? [ofTheFuture(times.length - believed.length)] : []),
  ]
  return { reasons, ...(newestAt !== undefined && { newestAt }) }
}

const lookThere = 'Run `bewaar health` on the machine that backs up, and see that it is on and that its schedule runs.'

function late(newestAt: number | undefined, allowed: (newestAt: number) => number, now: number): Reason[] {
  if (newestAt === undefined) return [{ verdict: 'late', text: 'it holds no backup', advice: lookThere }]
  const most = allowed(newestAt)
  if (now - newestAt <= most) return []
  const text = `its newest backup is ${ageOf(now - newestAt)} old, and may be ${ageOf(most)}`
  return [{ verdict: 'late', text, advice: lookThere }]
}

function unreadable(count: number): Reason {
  const text = `${count} of its snapshots cannot be read`
  return { verdict: 'damaged', text, advice: 'Run `bewaar verify` on the machine that backs up.' }
}

function ofTheFuture(count: number): Reason {
  const text = `${count} of its backups say that they are of the future, and are not believed`
  const advice = 'See whether a clock is or was wrong, here or there, or who else can write to the vault.'
  return { verdict: 'clock', text, advice }
}
