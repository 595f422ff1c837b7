import { decodeTree, type Repository } from '#engine'
import { decodeManifest, type Manifest } from '#model'

export const restorableParts = ['database', 'files', 'config'] as const
/** What `--only` can name. */
export type RestorablePart = (typeof restorableParts)[number]

/** What lies at the top of a snapshot, and what its manifest says, when it is one of ours. */
export interface SnapshotLayout {
  /** Names at the top, as people read them. */
  readonly top: readonly string[]
  readonly manifest?: Manifest
  /** Whom the project's folder belonged to. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

export async function readLayout(repository: Repository, tree: string, signal?: AbortSignal): Promise<SnapshotLayout> {
  const nodes = decodeTree(await repository.loadBlob('tree', tree, signal))
  const top = nodes.map(({ name }) => Buffer.from(name).toString())
  const find = (type: string, wanted: string) =>
    nodes.find((node, index) => node.type === type && top[index] === wanted)
  const files = find('dir', 'files')
  const owner = files && { owner: { uid: files.uid, gid: files.gid } }
  const node = find('file', 'manifest.json')
  if (!node?.content) return { top, ...owner }
  const pieces: Uint8Array[] = []
  for (const id of node.content) pieces.push(await repository.loadBlob('data', id, signal))
  return { top, ...owner, manifest: decodeManifest(Buffer.concat(pieces).toString()) }
}

/** Names of the folder of a snapshot, raw bytes; empty when there is no such folder. */
export async function namesIn(
  repository: Repository,
  tree: string,
  path: readonly string[],
  signal?: AbortSignal,
): Promise<Buffer[]> {
  let nodes = decodeTree(await repository.loadBlob('tree', tree, signal))
  for (const component of path) {
    const folder = nodes.find(({ name }) => Buffer.from(name).toString() === component)
    if (!folder?.subtree) return []
    nodes = decodeTree(await repository.loadBlob('tree', folder.subtree, signal))
  }
  return nodes.map(({ name }) => Buffer.from(name))
}

/** Whether a snapshot holds something at a path, its parts joined by slashes. */
export async function holdsPath(
  repository: Repository,
  tree: string,
  path: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const parts = path.split('/')
  const names = await namesIn(repository, tree, parts.slice(0, -1), signal)
  return names.some((name) => name.toString() === parts.at(-1))
}

/** Paths in a snapshot that a part of it stands for: databases lie in `database/`, and at their own place. */
export function pathsOf(part: RestorablePart, { top, manifest }: SnapshotLayout): string[] {
  const present = (names: readonly string[]): string[] => names.filter((name) => top.includes(name))
  switch (part) {
    case 'files':
      return present(['files', 'git'])
    case 'config':
      return present(['config'])
    case 'database': {
      const inPlace = manifest?.artifacts.filter(({ kind }) => kind === 'sqlite' || kind === 'json') ?? []
      return [...present(['database']), ...inPlace.map(({ path }) => path)]
    }
    default:
      return part satisfies never
  }
}
