import type { Finding, KnownSnapshot, Project, Vault } from '#model'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'
import { chooseBackup, type ChosenBackup } from './choose-backup.ts'
import type { OpenSnapshot } from './folder-plans.ts'
import { pathsOf, readLayout, type SnapshotLayout } from './layout.ts'
import type { RestoreRequest } from './request.ts'

/** The backup that is wanted, open and locked for reading. */
export interface OpenBackup extends AsyncDisposable {
  readonly chosen: ChosenBackup
  readonly snapshot: OpenSnapshot
  readonly findings: readonly Finding[]
}

/** @throws as `chooseBackup`; what keeps the vault from being read. */
export async function openBackup(
  services: PlaceServices & Pick<Services, 'catalog'>,
  project: Project,
  request: Pick<RestoreRequest, 'wanted' | 'vault'>,
  signal: AbortSignal,
): Promise<OpenBackup> {
  const chosen = await chooseBackup(services, project, request.wanted, request.vault, signal)
  const { vault, snapshot } = chosen
  await using guard = new AsyncDisposableStack()
  const { repository } = guard.use(await openVault(services, vault, project.name, signal))
  const unlock = await repository.lockToRead(signal)
  if (unlock) guard.use(unlock)
  const unreadable = await repository.loadReadableIndex(signal)
  const { snapshot: stored } = await repository.findSnapshot(snapshot.id, signal)
  const layout = await readLayout(repository, stored.tree, signal)
  const held = guard.move()
  return {
    chosen,
    snapshot: { repository, id: snapshot.id, tree: stored.tree, layout },
    findings: unreadable.map(({ message }) => leftOutIndex(vault, project, message)),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** What only that file names is not found, and told besides. */
function leftOutIndex({ name }: Vault, project: Project, message: string): Finding {
  const text = `${message}; it was left out, and \`bewaar verify\` tells what that means`
  return { vault: name, project: project.name, subject: 'index', severity: 'warning', text }
}

/** Paths in the snapshot that are wanted; undefined: all of it. @throws `restore.part-missing`. */
export function includedPaths(
  request: Pick<RestoreRequest, 'only' | 'paths' | 'tables'>,
  layout: SnapshotLayout,
  snapshot: Pick<KnownSnapshot, 'id'>,
  project: Project,
): string[] | undefined {
  // Because tables are in dumps, and nothing beside the dumps was asked for.
  if (request.tables.length > 0) return ['database']
  if (request.only.length === 0 && request.paths.length === 0) return undefined
  const parts = request.only.map((part) => {
    const paths = pathsOf(part, layout)
    if (paths.length > 0) return paths
    throw usecaseError('restore.part-missing', { snapshot: snapshot.id.slice(0, 8), part, project: project.name })
  })
  const named = request.paths.map((path) => {
    const clean = path.replace(/^\/+|\/+$/g, '')
    const isOfSnapshot = layout.top.includes(clean.split('/')[0]!) || !layout.top.includes('files')
    return isOfSnapshot ? clean : `files/${clean}`
  })
  return [...parts.flat(), ...named]
}
