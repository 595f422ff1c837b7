import { dirname } from 'node:path'

import type { Configuration } from './configuration.ts'
import { ownProject, type Project } from './project.ts'
import { parseSchedule } from './schedule.ts'
import type { Vault } from './vault.ts'

/** When Bewaar's own backup is made: after the runs of the night, the verification and the clean-up. */
export const ownSchedule = parseSchedule('daily 06:30')

/** How long a vault that locks keeps each of Bewaar's own backups locked. */
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

/** Its schedule is no run's: each vault gets a backup of its own, so that none depends on another. */
function ownProjectOf(configuration: Configuration): Project {
  const [first, ...others] = vaultsInUse(configuration)
  const names = [first, ...others].flatMap((vault) => vault?.name ?? [])
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
    keep: new Map(names.map((name) => [name, { for: ownTerm, prune: 'never' }])),
    restore: {},
    paused: false,
  }
}
