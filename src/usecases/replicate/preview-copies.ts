import { AppError } from '#base'
import { parseTime, planCopy } from '#engine'
import { getVault, type Finding } from '#model'
import type { Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'
import type { CopyRequest } from './copy-project.ts'
import { findLeftOut } from './left-out.ts'

/** What a copy of one project to one vault would send. */
export interface CopyPreview {
  readonly project: string
  readonly from: string
  readonly vault: string
  /** Those that the vault has not got, oldest first. */
  readonly snapshots: readonly { readonly id: string; readonly time: number }[]
  /** How many of the source's it has. */
  readonly present: number
  /** Bytes of what is missing, as they lie in the source. */
  readonly bytes: number
  readonly findings: readonly Finding[]
  /** Why nobody knows. */
  readonly error?: AppError
}

/** Tells what {@link copyProject} would do, one vault after the other, and changes nothing in any vault. */
export async function previewCopies(
  services: PlaceServices & Pick<Services, 'catalog'>,
  { project, to, from = project.vault }: CopyRequest,
  signal: AbortSignal,
): Promise<CopyPreview[]> {
  const previews: CopyPreview[] = []
  for (const name of to) {
    const about = { project: project.name, from, vault: name }
    try {
      await using source = await openVault(services, getVault(services.configuration, from), project.name, signal)
      await using target = await openVault(services, getVault(services.configuration, name), project.name, signal)
      const without = await findLeftOut(services, project, from, name)
      const plan = await planCopy(source.repository, target.repository, without, signal)
      previews.push({
        ...about,
        snapshots: plan.snapshots.map(({ id, snapshot }) => ({
          id,
          time: Number(parseTime(snapshot.time) / 1_000_000n),
        })),
        present: plan.present,
        bytes: plan.bytes,
        findings: plan.findings.map((finding) => ({ project: project.name, vault: name, ...finding })),
      })
    } catch (thrown) {
      // because a vault that is down must not hide what the others miss
      if (signal.aborted || !(thrown instanceof AppError)) throw thrown
      previews.push({ ...about, snapshots: [], present: 0, bytes: 0, findings: [], error: thrown })
    }
  }
  return previews
}
