import {
  awaitedMs,
  getProject,
  kindsToSettle,
  recoveryKinds,
  troublesOf,
  vaultsOf,
  type Incident,
  type SeenTrouble,
} from '#model'
import { settleTroubles } from '../incidents/settle-troubles.ts'
import { findRecoveryTroubles } from '../recover/find-troubles.ts'
import type { Services } from '../services.ts'
import { checkHealth, type HealthReport } from './check-health.ts'

/** What a look at all projects came to. */
export interface WatchReport {
  readonly health: readonly HealthReport[]
  readonly troubles: readonly SeenTrouble[]
  /** The incidents that were opened by it, or opened again. */
  readonly opened: readonly Incident[]
  readonly changed: readonly Incident[]
  readonly resolved: readonly Incident[]
}

/**
 * Judges all projects of the configuration, and opens, changes and resolves their incidents. It asks no vault. Several processes
 * may do it at once: each trouble has one open incident all the same.
 */
export async function watch(
  services: Pick<Services, 'catalog' | 'clock' | 'configuration'>,
  signal: AbortSignal,
): Promise<WatchReport> {
  const { catalog, clock, configuration } = services
  // because a run that was killed is over, and nobody else may look for days
  await catalog.runs.closeAbandoned(clock.now())
  await catalog.copies.closeAbandoned(clock.now())
  const health = await checkHealth(services, configuration.projects)
  signal.throwIfAborted()
  const { isNew, since } = await seePlaces(services)
  const judged = troublesOf(health, configuration.projects, isNew)
  const troubles = [...judged, ...(await findRecoveryTroubles(services, since))]
  const kinds = [...kindsToSettle(judged), ...recoveryKinds]
  return { health, troubles, ...(await settleTroubles(services, kinds, troubles)) }
}

/** Which places are new, and since when the first of all is looked at. */
async function seePlaces({
  catalog,
  clock,
  configuration,
}: Pick<Services, 'catalog' | 'clock' | 'configuration'>): Promise<{
  readonly isNew: (project: string, vault: string) => boolean
  readonly since: number | undefined
}> {
  const now = clock.now()
  const places = configuration.projects.flatMap((project) =>
    vaultsOf(configuration, project).map((vault) => ({ project: project.name, vault: vault.name })),
  )
  const watched = await catalog.watched.see(places, now)
  const fresh = watched.filter(({ project, vault, since }) => {
    return now - since <= awaitedMs(getProject(configuration, project), vault)
  })
  return {
    isNew: (project, vault) => fresh.some((place) => place.project === project && place.vault === vault),
    since: watched.map(({ since }) => since).toSorted((a, b) => a - b)[0],
  }
}
