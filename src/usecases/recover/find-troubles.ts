import { isDamaged, ownProject, recoveryTroubles, vaultsInUse, type SeenTrouble } from '#model'
import type { Services } from '../services.ts'

type Needed = Pick<Services, 'catalog' | 'clock' | 'configuration'>

/** What would keep Bewaar itself from being recovered. @param since - since when it looks after something. */
export async function findRecoveryTroubles(services: Needed, since: number | undefined): Promise<SeenTrouble[]> {
  const { catalog, clock, configuration } = services
  const facts = {
    vaults: vaultsInUse(configuration).map(({ name }) => name),
    backups: await catalog.recovery.ownBackups(),
    checks: await catalog.recovery.checks(),
    damaged: await findDamagedOwn(services),
    ...(since !== undefined && { since }),
  }
  return recoveryTroubles(facts, clock.now())
}

/** Vaults in which damage of Bewaar's own backups was found that nobody has seen mended. */
export async function findDamagedOwn({ catalog, clock, configuration }: Needed): Promise<string[]> {
  const damaged: string[] = []
  for (const { name: vault } of vaultsInUse(configuration)) {
    const verifications = await catalog.verifications.readingsOfDamage({
      project: ownProject,
      vault,
      until: clock.now(),
    })
    if (isDamaged(verifications)) damaged.push(vault)
  }
  return damaged
}
