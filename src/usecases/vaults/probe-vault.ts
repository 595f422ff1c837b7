import { AppError } from '#base'
import {
  openS3,
  probeLocal,
  probeRest,
  probeRestOverSsh,
  probeS3,
  probeSftp,
  type Probe,
  type S3Backend,
  type S3Options,
} from '#engine'
import {
  judgeWorth,
  locationIn,
  vaultsOf,
  type JudgedWorth,
  type ProbeFacts,
  type ProbeRecord,
  type Vault,
} from '#model'
import type { Services } from '../services.ts'
import type { PlaceServices } from './open-place.ts'
import { placeOptions } from './place-options.ts'

export interface VaultProbe {
  readonly vault: Vault
  /** The latest that found something out; absent when none ever did. */
  readonly probe?: ProbeRecord
  readonly worth: JudgedWorth
  /** `now`; `resting`: it was tried so lately that another probe would only leave more behind; `failed`: see `trouble`. */
  readonly outcome: 'now' | 'resting' | 'failed'
  /** Why it could not be tried. */
  readonly trouble?: AppError
}

type Needed = PlaceServices & Pick<Services, 'catalog'>

/** A probe that had to be left in a bucket is not followed by another one before this. */
const restMs = 24 * 60 * 60 * 1000

/**
 * Finds out what the login of the backup can do to what it stored in a vault, by trying it on probes of its own, and enters
 * that into the catalog. Of a vault that cannot be tried, what was found before stands until it is too old.
 */
export async function probeVault(services: Needed, vault: Vault, signal: AbortSignal): Promise<VaultProbe> {
  const { catalog, clock } = services
  const now = clock.now()
  const before = await catalog.probes.latest(vault.name)
  const state = (probe: ProbeRecord | undefined): Pick<VaultProbe, 'vault' | 'probe' | 'worth'> => ({
    vault,
    worth: judgeWorth(probe, now),
    ...(probe && { probe }),
  })
  const leaves = vault.location.kind === 's3' && (before?.found.left ?? 0) > 0
  if (before && leaves && now - before.at < restMs) return { ...state(before), outcome: 'resting' }
  try {
    const probe = { vault: vault.name, at: now, found: await factsOf(services, vault, signal) }
    await catalog.probes.add(probe)
    return { ...state(probe), outcome: 'now' }
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    return { ...state(before), outcome: 'failed', trouble: thrown }
  }
}

async function factsOf(services: Needed, vault: Vault, signal: AbortSignal): Promise<ProbeFacts> {
  await using temporary = await services.temporaryFolder()
  const { configuration } = services
  const projects = configuration.projects.filter((project) => vaultsOf(configuration, project).includes(vault))
  const names = projects.map(({ name }) => name)
  const place = await placeOptions(services, vault, vault.location, temporary, signal)
  switch (place.kind) {
    case 'local':
      return withoutLock(await probeLocal(names.map((name) => pathIn(vault, name))))
    case 'sftp': {
      const paths = names.map((name) => pathIn(vault, name))
      return withoutLock(await probeSftp(place.options, paths, signal))
    }
    case 's3': {
      const { lock, ...found } = await probeS3(place.options, vault.objectLock, signal)
      if (!lock) return found
      const until = await lockedUntil(services, vault, names, place.options, signal)
      return { ...found, lock: { mode: lock.mode, ...(until !== undefined && { until }) } }
    }
    case 'rest':
      return withoutLock(await probeRest(place.options, signal))
    case 'rest-ssh':
      return withoutLock(await probeRestOverSsh(place.options, signal))
    default:
      return place satisfies never
  }
}

function withoutLock({ deletes, overwrites, truncates, left }: Probe): ProbeFacts {
  return { deletes, overwrites, truncates, left }
}

function pathIn(vault: Vault, project: string): string {
  const location = locationIn(vault.location, project)
  return 'path' in location ? location.path : ''
}

/** Until when the newest backup of each project is locked at least; undefined when one of them is not, or there is none. */
async function lockedUntil(
  { catalog }: Needed,
  vault: Vault,
  projects: readonly string[],
  options: S3Options,
  signal: AbortSignal,
): Promise<number | undefined> {
  const ends: number[] = []
  for (const project of projects) {
    const [newest] = await catalog.snapshots.list({ vault: vault.name, project, kind: 'backup', limit: 1 })
    if (!newest) continue
    const location = locationIn(vault.location, project)
    const prefix = location.kind === 's3' ? location.prefix : ''
    await using backend = await openS3({ ...options, prefix }, signal)
    const lock = await findLock(backend, newest.id, signal)
    if (!lock) return undefined
    ends.push(lock.untilMs)
  }
  return ends.length === 0 ? undefined : Math.min(...ends)
}

async function findLock(backend: S3Backend, snapshot: string, signal: AbortSignal) {
  try {
    return await backend.findLock({ type: 'snapshot', name: snapshot }, signal)
  } catch (thrown) {
    // because a backup that is gone from the bucket is locked by nothing
    if (thrown instanceof AppError && thrown.code === 'backend.missing') return undefined
    throw thrown
  }
}
