import { randomHex, textOf } from '#base'
import { check } from '#engine'
import type { Finding, Project, Vault, VerificationRecord } from '#model'
import { whoOf, type Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'

export interface VerificationReport {
  readonly project: string
  readonly vault: string
  readonly status: 'sound' | 'damaged'
  readonly snapshots: number
  readonly packs: number
  readonly packsRead: number
  readonly bytesRead: number
  readonly seconds: number
  readonly findings: readonly Finding[]
}

/**
 * Checks the repository of a project in a vault, and reads back and verifies a share of its data, 0 to 1.
 *
 * When all data was read, each snapshot that is whole is marked as verified. What was found is recorded; that a
 * repository is damaged is the result, not an error.
 *
 * @throws `repository.missing`; `repository.password`; `repository.locked`; what else keeps it from being read.
 */
export async function verifyProject(
  services: PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username'>,
  project: Project,
  vault: Vault,
  share: number,
  signal: AbortSignal,
): Promise<VerificationReport> {
  const { catalog, clock } = services
  const startedAt = clock.now()
  const began = clock.monotonic()
  const record = (outcome: Pick<VerificationRecord, 'status' | 'bytesRead' | 'findings'>): Promise<void> =>
    keep(services, { project: project.name, vault: vault.name, startedAt, share, who: whoOf(services), ...outcome })
  try {
    await using opened = await openVault(services, vault, project.name, signal)
    const label = `${project.name}: verifying in ${vault.name}`
    const result = await check(
      opened.repository,
      {
        readShare: share,
        onProgress: ({ packs, packsToRead }) =>
          services.progress({ label, done: packs, total: packsToRead, unit: 'items' }),
      },
      signal,
    )
    const about = { project: project.name, vault: vault.name }
    const findings = result.findings.map((finding) => ({ ...about, ...finding }))
    const status = findings.some(({ severity }) => severity === 'damage') ? 'damaged' : 'sound'
    const { bytesRead, packs, packsRead, snapshots } = result
    await record({ status, bytesRead, findings })
    if (share === 1) {
      const damaged = new Set(result.damagedSnapshots)
      for await (const { name: id } of opened.repository.backend.list('snapshot', signal)) {
        if (!damaged.has(id)) await catalog.snapshots.markVerified({ ...about, id }, clock.now())
      }
    }
    const seconds = (clock.monotonic() - began) / 1000
    return { ...about, status, snapshots, packs, packsRead, bytesRead, seconds, findings }
  } catch (thrown) {
    const text = textOf(thrown)
    const finding: Finding = { project: project.name, vault: vault.name, subject: 'verify', severity: 'warning', text }
    await record({ status: signal.aborted ? 'cancelled' : 'failed', bytesRead: 0, findings: [finding] })
    throw thrown
  }
}

async function keep(
  { catalog, clock }: Pick<Services, 'catalog' | 'clock'>,
  verification: Omit<VerificationRecord, 'id' | 'endedAt'>,
): Promise<void> {
  const { project, vault, status, findings } = verification
  const endedAt = clock.now()
  await catalog.verifications.add({ ...verification, id: randomHex(8), endedAt })
  const worst = findings.find(({ severity }) => severity === 'damage') ?? findings[0]
  const because =
    status === 'sound' || !worst ? '' : `, ${worst.subject === 'verify' ? '' : `${worst.subject}: `}${worst.text}`
  const level = status === 'sound' ? 'info' : status === 'damaged' ? 'error' : 'warning'
  await catalog.log.add({
    time: endedAt,
    kind: 'verify',
    level,
    project,
    text: `Verification of ${vault}: ${status}${because}`,
  })
}
