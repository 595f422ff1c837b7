/**
 * What the login of a backup can do to the files of a repository, found out by doing it to a probe: a small file of its
 * own, where files of a repository lie. A place is only as good as what it refuses.
 */

import { folders, packFolders } from './layout.ts'

/**
 * What came of trying it: `allowed` is only what was seen to change something, `refused` what the place said no to and
 * what changed nothing. `impossible`: the way there has no such request. `unclear`: it failed in another way.
 */
export type Attempt = 'allowed' | 'refused' | 'impossible' | 'unclear'

/** The weakest of what was found in each folder. */
export interface Attempts {
  readonly deletes: Attempt
  /** Other bytes in place of the first ones, so that those are gone. */
  readonly overwrites: Attempt
  /** Makes a file shorter, down to nothing. */
  readonly truncates: Attempt
}

export interface Probe extends Attempts {
  /** What locked the probe and held when it was tried to lift it; only in S3. */
  readonly lock?: { readonly mode: 'governance' | 'compliance'; readonly untilMs: number }
  /** Small files that could not be removed again. */
  readonly left: number
}

/** How much room there is, in bytes, for whoever backs up. */
export interface PlaceSpace {
  readonly sizeBytes: number
  readonly freeBytes: number
}

/**
 * The probe's name in folders: that of a temporary file, which stock restic takes for no file of a repository, and which
 * is swept away when it is a day old. It is always the same, so that a probe that cannot be removed is the only one.
 */
export const probeName = `bewaar-probe-tmp-${'0'.repeat(16)}`

/** The folder of the probes where files have no other place than in a repository. No project can have this name. */
export const probeRepository = 'bewaar_probe'

/** What a probe holds first, and what is put in its place: of one length. */
export const probeBodies: readonly [Uint8Array, Uint8Array] = [
  Buffer.from('A probe of Bewaar, which may be removed: first.\n'),
  Buffer.from('A probe of Bewaar, which may be removed: other.\n'),
]

const weakestFirst: readonly Attempt[] = ['allowed', 'unclear', 'refused', 'impossible']

/** Of several attempts the one that counts: what is allowed anywhere is allowed. */
export function weakest(attempts: readonly Attempt[]): Attempt {
  return weakestFirst.find((attempt) => attempts.includes(attempt)) ?? 'unclear'
}

export function weakestOf(found: readonly Attempts[]): Attempts {
  return {
    deletes: weakest(found.map(({ deletes }) => deletes)),
    overwrites: weakest(found.map(({ overwrites }) => overwrites)),
    truncates: weakest(found.map(({ truncates }) => truncates)),
  }
}

/** One folder of each kind in which files lie that must stay; locks come and go. */
export const foldersToProbe: readonly string[] = [
  '',
  folders.key,
  folders.snapshot,
  folders.index,
  `${folders.pack}/${packFolders[0]!}`,
]

/** What can be put in the place of these bytes, and told from them. */
export function otherBody(body: Uint8Array): Uint8Array {
  const [first, other] = probeBodies
  return Buffer.compare(body, first) === 0 ? other : first
}
