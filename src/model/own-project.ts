import { dirname } from 'node:path'

import type { Configuration } from './configuration.ts'
import type { OwnBackup } from './kit.ts'
import { ownProject, type Project } from './project.ts'
import type { RetentionPolicy } from './retention.ts'
import { parseSchedule } from './schedule.ts'
import type { Vault } from './vault.ts'

/** When Bewaar's own backup is made: after the runs of the night, the verification and the clean-up. */
export const ownSchedule = parseSchedule('daily 06:30')

/** Less than a day, because a run that starts a little sooner than the day before must make one all the same. */
const ownRestMs = 20 * 60 * 60 * 1000

/**
 * Whether a vault wants another backup of Bewaar itself after a run: it has none, its last is a day old, or was made of
 * something else.
 *
 * @param of - a digest of what a person wrote: the configuration, and what only the catalog knows and rules depend on.
 */
export function isOwnBackupDue(last: OwnBackup | undefined, of: string, now: number): boolean {
  if (last?.madeAt === undefined || last.of !== of) return true
  // because what a clock that was ahead has left must not keep it from being made
  return now - last.madeAt >= ownRestMs || last.madeAt > now
}

/** What a vault keeps of Bewaar's own backups. */
const ownCounts = { daily: 30, monthly: 12 } as const
/** How long a vault that locks keeps each of them locked. */
const ownTerm = { amount: 30, unit: 'day' } as const

/** The vaults that some project is kept in: each holds Bewaar's own configuration and catalog too. */
export function vaultsInUse({ vaults, projects }: Configuration): readonly Vault[] {
  const used = new Set(projects.flatMap(({ vault, copies }) => [vault, ...copies.map(({ to }) => to)]))
  return vaults.filter(({ name }) => used.has(name))
}

/** The configuration with Bewaar's own project among the others, for whoever opens its repositories. */
export function withOwnProject(configuration: Configuration): Configuration {
  return { ...configuration, projects: [...configuration.projects, ownProjectOf(configuration)] }
}

/** Bewaar's own project as one vault has it: no other vault gets copies of what lies there. */
export function ownProjectIn(configuration: Configuration, { name }: Vault): Project {
  return { ...ownProjectOf(configuration), vault: name, copies: [] }
}

/** Its schedule is no run's: each vault gets a backup of its own, so that none depends on another. */
function ownProjectOf(configuration: Configuration): Project {
  const [first, ...others] = vaultsInUse(configuration)
  return {
    name: ownProject,
    title: 'Bewaar',
    type: 'generic',
    path: dirname(configuration.file),
    criticality: 'high',
    schedule: ownSchedule,
    leaveOut: [],
    vault: first?.name ?? '',
    copies: others.map(({ name: to }) => ({ to })),
    keep: new Map(
      [first, ...others].flatMap((vault) => (vault ? [[vault.name, ownPolicy(configuration, vault)]] : [])),
    ),
    restore: {},
    paused: false,
  }
}

/** Nothing goes by itself where nothing of the projects does: there the login may remove nothing, or somebody wants all to stay. */
function ownPolicy({ projects }: Configuration, { name, objectLock }: Vault): RetentionPolicy {
  const isPruned = projects.some(({ keep }) => keep.get(name)?.prune === 'automatic')
  return { ...ownCounts, ...(objectLock && { for: ownTerm }), prune: isPruned ? 'automatic' : 'never' }
}
