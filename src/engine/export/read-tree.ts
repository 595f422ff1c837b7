import { mapInOrder } from '#base'
import { isEntryName } from '../filesystem/name.ts'
import { quoteName } from '../format/name.ts'
import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import type { Repository } from '../repository/repository.ts'
import { exportError } from './errors.ts'
import type { TarEntry, TarHeader } from './tar.ts'

/** What is read of a repository. */
type BlobReader = Pick<Repository, 'loadBlob' | 'loadBlobs'>

/** Small files that are loaded ahead; a blob has at most 8 MiB. */
const filesAhead = 16

interface Found {
  /** Parts joined by slashes, raw bytes. */
  readonly path: Buffer
  readonly node: TreeNode
}

export interface TreeEntry extends TarEntry {
  /** Its path in the snapshot, raw bytes. */
  readonly inTree: Buffer
  /** Other entries lead to the same file. */
  readonly isShared: boolean
}

export interface TreeRequest {
  /** Hex id. */
  readonly tree: string
  /** What stands before every path of the archive, `shop/snapshot/`. */
  readonly prefix: string
  /** Paths inside the tree, each with everything below it. Default: everything. */
  readonly include?: readonly string[]
  /** Folders alone, or everything else. Default: both. */
  readonly only?: 'folders' | 'contents'
  /** Told of each socket: an archive has no place for one. */
  readonly onLeftOut: (path: string) => void
}

/**
 * The entries of a tree for an archive, folders before what is in them, in the order of the tree. Files that are one file
 * come as links to the first of them.
 *
 * Memory: some blobs, the trees that lead to the present place, and the names of files with several.
 *
 * @throws `export.tree-damaged`; `repository.blob-missing` and `repository.blob-damaged`.
 */
export async function* readTree(
  repository: BlobReader,
  { tree, prefix, include, only, onLeftOut }: TreeRequest,
  signal?: AbortSignal,
): AsyncGenerator<TreeEntry, void, void> {
  const firsts = new Map<string, Buffer>()
  const before = Buffer.from(prefix)
  const wanted = include?.map((path) => Buffer.from(path))
  const entryOf = async ({ path: inTree, node }: Found): Promise<TreeEntry | undefined> => {
    if (node.type === 'socket') {
      onLeftOut(inTree.toString())
      return undefined
    }
    const path = Buffer.concat([before, inTree])
    const isShared = node.type === 'file' && node.links > 1
    const id = `${node.deviceId}:${node.inode}`
    const first = isShared ? firsts.get(id) : undefined
    if (isShared && !first) firsts.set(id, path)
    const header = headerOf(node, path, first)
    if (node.type !== 'file' || first) return { header, inTree, isShared }
    return { header, inTree, isShared, content: await contentOf(repository, node.content!, signal) }
  }
  const found = filtered(walk(repository, tree, wanted, signal), only)
  for await (const entry of mapInOrder(found, entryOf, filesAhead)) if (entry) yield entry
}

async function* filtered(found: AsyncIterable<Found>, only: TreeRequest['only']): AsyncGenerator<Found, void, void> {
  for await (const one of found) if (only === undefined || (one.node.type === 'dir') === (only === 'folders')) yield one
}

/** Streams a file of a tree. @param path - raw bytes. @throws `export.file-missing`, and as {@link readTree}. */
export async function* readFile(
  repository: BlobReader,
  tree: string,
  path: Uint8Array,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const wanted = [Buffer.from(path)]
  for await (const { path: found, node } of walk(repository, tree, wanted, signal)) {
    if (node.type !== 'file' || !found.equals(wanted[0]!)) continue
    return yield* repository.loadBlobs('data', node.content!, signal)
  }
  throw exportError('export.file-missing', { path: Buffer.from(path).toString() })
}

async function* walk(
  repository: BlobReader,
  tree: string,
  wanted: readonly Buffer[] | undefined,
  signal?: AbortSignal,
  folder = Buffer.alloc(0),
): AsyncGenerator<Found, void, void> {
  const seen = new Set<string>()
  for (const node of decodeTree(await repository.loadBlob('tree', tree, signal))) {
    const path = Buffer.concat([folder, folder.length > 0 ? slash : folder, node.name])
    if (wanted && !wanted.some((one) => leadsTo(path, one))) continue
    const fail = (reason: string): never => {
      throw exportError('export.tree-damaged', { path: quoteName(path), reason })
    }
    if (!isEntryName(node.name)) fail('a name is not that of one entry')
    const name = Buffer.from(node.name).toString('latin1')
    if (seen.has(name)) fail('two entries have one name')
    seen.add(name)
    if (node.type === 'file' && !node.content) fail('a file has no list of its contents')
    yield { path, node }
    if (node.type !== 'dir') continue
    if (node.subtree === undefined) fail('a folder has no list of its entries')
    yield* walk(repository, node.subtree!, wanted, signal, path)
  }
}

const slash = Buffer.from('/')

/** One is the other, or lies in it. */
function leadsTo(path: Buffer, wanted: Buffer): boolean {
  const [short, long] = path.length < wanted.length ? [path, wanted] : [wanted, path]
  return long.subarray(0, short.length).equals(short) && (long.length === short.length || long[short.length] === 0x2f)
}

/** A small file is loaded ahead, a large one when its turn comes. */
async function contentOf(
  repository: BlobReader,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<NonNullable<TarEntry['content']>> {
  if (ids.length === 0) return []
  if (ids.length === 1) return [await repository.loadBlob('data', ids[0]!, signal)]
  return repository.loadBlobs('data', ids, signal)
}

function headerOf(node: TreeNode, path: Buffer, first: Buffer | undefined): TarHeader {
  const { mode, uid, gid, user, group, mtimeNs, linkTarget, device, extendedAttributes } = node
  const target = first ?? linkTarget
  return {
    kind: first ? 'link' : node.type === 'socket' ? 'fifo' : node.type,
    path,
    size: node.type === 'file' && !first ? node.size : 0,
    mode,
    uid,
    gid,
    user,
    group,
    mtimeNs,
    device,
    attributes: extendedAttributes,
    ...(target && { target }),
  }
}
