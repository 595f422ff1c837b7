import type { Project } from '#model'
import type { Services } from '../services.ts'

/**
 * Full ids of the snapshots that are not copied from one vault to another, because a clean-up has removed them there. None
 * when backups are brought back from a copy: then a person wants them.
 *
 * Only of those that were made here: by what others say of themselves somebody could keep a backup from being copied.
 */
export async function findLeftOut(
  { catalog }: Pick<Services, 'catalog'>,
  project: Project,
  from: string,
  to: string,
): Promise<ReadonlySet<string>> {
  if (from !== project.vault) return new Set()
  const removed = new Set((await catalog.cleanups.removals(project.name, to)).map(({ run }) => run))
  if (removed.size === 0) return new Set()
  const known = await catalog.snapshots.listReceived(project.name)
  return new Set(known.flatMap(({ id, vault, made }) => (vault === from && made && removed.has(made.run) ? [id] : [])))
}
