import type { ObjectLock } from './vault.ts'

/** What came of trying something that nobody should be able to do; see the engine's probes. */
export type Attempt = 'allowed' | 'refused' | 'impossible' | 'unclear'

/** What was found out about a vault by trying it. */
export interface ProbeRecord {
  readonly vault: string
  /** Milliseconds since 1970, UTC, as are all moments here. */
  readonly at: number
  readonly found: ProbeFacts
}

/** What the login of the backup can do to files that it stored. */
export interface ProbeFacts {
  readonly deletes: Attempt
  readonly overwrites: Attempt
  readonly truncates: Attempt
  /** What locked the probe, and could not be lifted. */
  readonly lock?: {
    readonly mode: ObjectLock
    /** Until when the newest backup of each project is locked at least; absent when there is none, or one is not. */
    readonly until?: number
  }
  /** Probes that could not be removed. */
  readonly left: number
}

export const worths = ['unknown', 'mutable', 'append-only', 'locked'] as const
/**
 * What a vault is worth against whoever has taken over the machine that backs up. `append-only` and `locked` are said only
 * of what held when it was tried.
 */
export type Worth = (typeof worths)[number]

export interface JudgedWorth {
  readonly worth: Worth
  /** It was tried so long ago that it may be otherwise by now. */
  readonly isStale: boolean
  /** One phrase for people: `can be deleted and truncated`. */
  readonly text: string
}

const dayMs = 24 * 60 * 60 * 1000
/** How long what was tried is believed. */
export const probeDays = 7

/** Says what a vault is worth by its latest probe. */
export function judgeWorth(probe: ProbeRecord | undefined, now: number): JudgedWorth {
  if (probe === undefined) return { worth: 'unknown', isStale: false, text: 'never tried' }
  const isStale = now - probe.at > probeDays * dayMs
  return { ...judgeFacts(probe.found), isStale }
}

function judgeFacts({ deletes, overwrites, truncates, lock }: ProbeFacts): Omit<JudgedWorth, 'isStale'> {
  const allowed = verbs([deletes === 'allowed', overwrites === 'allowed', truncates === 'allowed'])
  if (allowed !== '') return { worth: 'mutable', text: `can be ${allowed}` }
  // because what was not tried to the end was not seen to hold; where files can be put whole only, nothing can be truncated
  const unseen = verbs([deletes !== 'refused', overwrites !== 'refused', truncates === 'unclear'])
  if (unseen !== '') return { worth: 'unknown', text: `nobody knows whether files can be ${unseen}` }
  if (lock) return { worth: 'locked', text: `locked (${lock.mode})` }
  return { worth: 'append-only', text: 'can only be added to' }
}

function verbs(chosen: readonly boolean[]): string {
  return listed(['deleted', 'overwritten', 'truncated'].filter((_, index) => chosen[index]))
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
