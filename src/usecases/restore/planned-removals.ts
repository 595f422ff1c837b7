import { decodeTree, type Part, type Repository } from '#engine'
import type { Project } from '#model'
import { dumpSources, rawPathOf, type Host, type RawPath } from '#sources'
import { getStrategy } from '#strategies'
import { contentOf } from '../backup/open-host.ts'
import type { Services, TemporaryFolder } from '../services.ts'
import type { OpenSnapshot } from './folder-plans.ts'

/**
 * What a backup of the project would take now and the snapshot does not hold: absolute paths, folders before what is in them. What is
 * left out of backups is never among them, nor is a folder that such a thing lies in emptied of it.
 */
export async function planRemovals(
  services: Pick<Services, 'secret'>,
  project: Project,
  { repository, tree }: OpenSnapshot,
  { host, temporary }: { readonly host: Host; readonly temporary: TemporaryFolder },
  signal: AbortSignal,
): Promise<RawPath[]> {
  const plan = await getStrategy(project.type).plan(await contentOf(services, project, signal), host, signal)
  const context = { host, temporaryFolder: temporary.path, report: () => {}, record: () => {} }
  const removals: RawPath[] = []
  for (const part of await dumpSources(project.path, plan.sources, context, signal)) {
    if ((part.kind !== 'folder' && part.kind !== 'remote-folder') || !/^files(\/|$)/.test(part.at)) continue
    const held = await treeAt(repository, tree, rawPathOf(part.at), signal)
    const path = part.kind === 'folder' ? rawPath(part.path) : part.path
    await lookThrough({ part, path, home: path, held }, { repository, host, removals }, signal)
  }
  return removals
}

function rawPath(path: string | Uint8Array): RawPath {
  return typeof path === 'string' ? rawPathOf(path) : Buffer.from(path).toString('latin1')
}

interface Place {
  readonly part: Part & { kind: 'folder' | 'remote-folder' }
  /** Absolute. */
  readonly path: RawPath
  /** Of the part. */
  readonly home: RawPath
  /** The tree of the folder in the snapshot, when there is one. */
  readonly held: string | undefined
}

async function lookThrough(
  place: Place,
  into: { readonly repository: Repository; readonly host: Host; readonly removals: RawPath[] },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const { part, path, home, held } = place
  const nodes = held === undefined ? [] : decodeTree(await into.repository.loadBlob('tree', held, signal))
  const known = new Map(nodes.map((node) => [Buffer.from(node.name).toString('latin1'), node]))
  for (const { name, kind } of await into.host.list(path)) {
    const below = `${path}/${name}`
    if (part.leaveOut?.(below.slice(home.length + 1), kind) || kind === 'socket') continue
    const node = known.get(name)
    if (!node) into.removals.push(below)
    if (kind === 'dir') await lookThrough({ ...place, path: below, held: node?.subtree }, into, signal)
  }
}

async function treeAt(
  repository: Repository,
  tree: string,
  path: RawPath,
  signal: AbortSignal,
): Promise<string | undefined> {
  let at: string | undefined = tree
  for (const name of path.split('/')) {
    if (at === undefined) return undefined
    const nodes = decodeTree(await repository.loadBlob('tree', at, signal))
    at = nodes.find((node) => Buffer.from(node.name).toString('latin1') === name)?.subtree
  }
  return at
}
