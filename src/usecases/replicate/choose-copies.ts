import type { Project } from '#model'
import type { CopyRequest } from './copy-project.ts'

/** Which copies are wanted; both are names of vaults. */
export interface CopyWish {
  readonly from?: string
  readonly to?: string
}

/**
 * The copies of a project that are wanted: to the vaults of its `copies`, or to the one that is named. The vault that runs
 * write to gets one only when it is named, and from another. A vault that holds nothing of the project is no source.
 */
export function chooseCopies(project: Project, { from = project.vault, to }: CopyWish): CopyRequest {
  const copies = project.copies.map((copying) => copying.to)
  const isSource = from === project.vault || copies.includes(from)
  const targets = to === project.vault ? [to] : copies.filter((vault) => to === undefined || vault === to)
  return { project, from, to: isSource ? targets.filter((vault) => vault !== from) : [] }
}
