import { recoveryTroubles, vaultsInUse, type SeenTrouble } from '#model'
import type { Services } from '../services.ts'

/** What would keep Bewaar itself from being recovered. @param since - since when it looks after something. */
export async function findRecoveryTroubles(
  { catalog, clock, configuration }: Pick<Services, 'catalog' | 'clock' | 'configuration'>,
  since: number | undefined,
): Promise<SeenTrouble[]> {
  const facts = {
    vaults: vaultsInUse(configuration).map(({ name }) => name),
    backups: await catalog.recovery.ownBackups(),
    checks: await catalog.recovery.checks(),
    ...(since !== undefined && { since }),
  }
  return recoveryTroubles(facts, clock.now())
}
