import { gravest, judgeWorth, ownProject, vaultsInUse, type Reason, type VaultHealth } from '#model'
import type { Services } from '../services.ts'
import type { HealthReport } from '../watch/check-health.ts'
import { findDamagedOwn, findRecoveryTroubles } from './find-troubles.ts'

/** The health of Bewaar's own backups, in the form of a project's. @returns undefined when none was ever tried. */
export async function checkItself(
  services: Pick<Services, 'catalog' | 'clock' | 'configuration'>,
): Promise<HealthReport | undefined> {
  const { catalog, clock, configuration } = services
  const backups = await catalog.recovery.ownBackups()
  if (backups.length === 0) return undefined
  const troubles = await findRecoveryTroubles(services, undefined)
  const damaged = await findDamagedOwn(services)
  const vaults: VaultHealth[] = []
  for (const { name: vault } of vaultsInUse(configuration)) {
    const reasons = troubles.flatMap((one): Reason[] => {
      if (one.kind !== 'own-backup' || one.vault !== vault) return []
      return [{ verdict: damaged.includes(vault) ? 'damaged' : 'late', text: one.text, advice: one.advice }]
    })
    const worth = judgeWorth(await catalog.probes.latest(vault), clock.now())
    const newestAt = backups.find((backup) => backup.vault === vault)?.madeAt
    vaults.push({ vault, verdict: gravest(reasons), reasons, worth, ...(newestAt !== undefined && { newestAt }) })
  }
  return {
    project: ownProject,
    verdict: gravest(vaults.flatMap(({ reasons }) => reasons)),
    reasons: [],
    vaults,
    rules: [],
  }
}
