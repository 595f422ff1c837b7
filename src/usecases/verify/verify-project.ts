import { randomHex, textOf } from '#base'
import { check } from '#engine'
import {
  sliceCount,
  wholeSince,
  type Finding,
  type SlicesRead,
  type Project,
  type Vault,
  type VerificationRecord,
} from '#model'
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

export interface VerificationRequest {
  readonly project: Project
  readonly vault: Vault
  /** What is read back: a share of the data by lot, 0 to 1, or slices of it, 1 to `sliceCount`. */
  readonly read: { readonly share: number } | { readonly slices: readonly number[] }
}

/**
 * Checks the repository of a project in a vault, and reads back and verifies some or all of its data.
 *
 * When all data was read, now or slice by slice, each snapshot that is whole is marked as verified. What was found is
 * recorded; that a repository is damaged is the result, not an error.
 *
 * @throws `repository.missing`; `repository.password`; `repository.locked`; what else keeps it from being read.
 */
export async function verifyProject(
  services: PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username'>,
  { project, vault, read }: VerificationRequest,
  signal: AbortSignal,
): Promise<VerificationReport> {
  const { catalog, clock } = services
  const startedAt = clock.now()
  const began = clock.monotonic()
  const record = (outcome: Pick<VerificationRecord, 'status' | 'bytesRead' | 'findings'>): Promise<void> =>
    keep(services, {
      project: project.name,
      vault: vault.name,
      startedAt,
      ...('slices' in read ? { ...read, share: read.slices.length / sliceCount } : read),
      who: whoOf(services),
      ...outcome,
    })
  try {
    await using opened = await openVault(services, vault, project.name, signal)
    const label = `${project.name}: verifying in ${vault.name}`
    const result = await check(
      opened.repository,
      {
        ...('slices' in read ? { packs: { ...read, of: sliceCount } } : { readShare: read.share }),
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
    const damaged = new Set(result.damagedSnapshots)
    const whole: string[] = []
    for await (const { name } of opened.repository.backend.list('snapshot', signal)) {
      if (!damaged.has(name)) whole.push(name)
    }
    if (!('slices' in read)) {
      for (const id of read.share === 1 ? whole : [])
        await catalog.snapshots.markVerified({ ...about, id }, clock.now())
    } else await markReadBySlices(services, about, new Set(whole))
    const seconds = (clock.monotonic() - began) / 1000
    return { ...about, status, snapshots, packs, packsRead, bytesRead, seconds, findings }
  } catch (thrown) {
    const text = textOf(thrown)
    const finding: Finding = { project: project.name, vault: vault.name, subject: 'verify', severity: 'warning', text }
    await record({ status: signal.aborted ? 'cancelled' : 'failed', bytesRead: 0, findings: [finding] })
    throw thrown
  }
}

/** Marks as verified what was there before the slice that was read longest ago was read. */
async function markReadBySlices(
  { catalog, clock }: Pick<Services, 'catalog' | 'clock'>,
  about: { readonly project: string; readonly vault: string },
  whole: ReadonlySet<string>,
): Promise<void> {
  const readings = await slicesRead({ catalog, clock }, about)
  const since = wholeSince(readings)
  if (since === undefined) return
  for (const { id, time, verifiedAt = -Infinity } of await catalog.snapshots.list(about)) {
    if (whole.has(id) && time < since && verifiedAt < since) {
      await catalog.snapshots.markVerified({ ...about, id }, since)
    }
  }
}

const dayMs = 24 * 60 * 60 * 1000
/** Longer ago than it takes to read everything twice, a reading tells nothing. */
const rememberedMs = 70 * dayMs

/** Which slices of a project's data in a vault were read when, as the catalog knows. */
export async function slicesRead(
  { catalog, clock }: Pick<Services, 'catalog' | 'clock'>,
  about: { readonly project: string; readonly vault: string },
): Promise<SlicesRead[]> {
  const verifications = await catalog.verifications.readings({ ...about, since: clock.now() - rememberedMs })
  return verifications.flatMap(({ status, share, slices, startedAt }) => {
    if (status !== 'sound' && status !== 'damaged') return []
    const read = slices ?? (share === 1 ? 'all' : [])
    return [{ slices: read, startedAt, isSound: status === 'sound' }]
  })
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
