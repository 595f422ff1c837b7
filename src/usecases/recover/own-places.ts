import { ownProjectIn, vaultsInUse, withOwnProject, type Configuration, type Project } from '#model'
import type { Services } from '../services.ts'

/** The same services for whoever opens the repositories of Bewaar itself. */
export function forItself<T extends { readonly configuration: Configuration }>(services: T): T {
  return { ...services, configuration: withOwnProject(services.configuration) }
}

/** Bewaar's own project in each vault that has got a backup of it, in the order of the configuration. */
export async function listItself({
  catalog,
  configuration,
}: Pick<Services, 'catalog' | 'configuration'>): Promise<Project[]> {
  const made = new Set(
    (await catalog.recovery.ownBackups()).flatMap(({ vault, madeAt }) => (madeAt === undefined ? [] : [vault])),
  )
  return vaultsInUse(configuration)
    .filter(({ name }) => made.has(name))
    .map((vault) => ownProjectIn(configuration, vault))
}
