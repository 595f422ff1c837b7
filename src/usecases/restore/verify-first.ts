import { join } from 'node:path'

import { check, planRestore, type RestorePlan } from '#engine'
import type { Project } from '#model'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import type { OpenSnapshot } from './folder-plans.ts'
import type { PlannedWrites } from './planned-writes.ts'

/**
 * Reads and verifies every byte that a restore will write, before the first one is written.
 *
 * @param plans - of the folders. @param dumps - paths in the snapshot that are loaded into servers. @throws `restore.damaged`.
 */
export async function verifyFirst(
  services: Pick<Services, 'progress' | 'temporaryFolder'>,
  project: Project,
  snapshot: OpenSnapshot,
  { plans, dumps }: { readonly plans: readonly PlannedWrites[]; readonly dumps: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const all = dumps.length > 0 ? [...plans, await planDumps(services, snapshot, dumps, signal)] : plans
  if (all.length === 0) return // because even then a lock is taken and threads are started
  const ids = new Set(all.flatMap(({ layout }) => layout.packs))
  const planned = all.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'damage'))
  const { findings } = await check(
    snapshot.repository,
    {
      packs: { ids },
      onProgress: ({ packs, packsToRead }) =>
        services.progress({ label: `${project.name}: verifying`, done: packs, total: packsToRead, unit: 'items' }),
    },
    signal,
  )
  const damage = findings.filter(({ severity, subject }) => severity === 'damage' && concerns(subject, ids))
  const [first] = [
    ...planned.map(({ path, text }) => `${path} ${text}`),
    ...damage.map(({ subject, text }) => `${subject} ${text}`),
  ]
  if (first !== undefined) throw usecaseError('restore.damaged', { count: planned.length + damage.length, first })
}

/** As if the dumps were to be written as files, so that the plan tells where their bytes lie. */
async function planDumps(
  services: Pick<Services, 'temporaryFolder'>,
  { repository, tree }: OpenSnapshot,
  dumps: readonly string[],
  signal: AbortSignal,
): Promise<RestorePlan> {
  await using folder = await services.temporaryFolder()
  return await planRestore(repository, { tree, target: join(folder.path, 'none'), include: dumps }, signal)
}

/** Damage elsewhere in the repository does not concern this restore. */
function concerns(subject: string, packs: ReadonlySet<string>): boolean {
  const pack = /^pack ([0-9a-f]+)/.exec(subject)?.[1]
  return pack !== undefined && packs.values().some((id) => id.startsWith(pack))
}
