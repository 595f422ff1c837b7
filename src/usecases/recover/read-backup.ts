import { AppError, textOf } from '#base'
import { decodeTree, parseTime, type Repository, type TreeNode } from '#engine'
import { catalogPlace, decodeSheet, modelError, ownProject, sheetPlace, type RecoverySheet } from '#model'
import { usecaseError } from '../errors.ts'
import type { OpenedVault } from '../vaults/open-vault.ts'

/** A file in a backup of Bewaar itself. */
export interface StoredFile {
  readonly at: string
  /** Bytes. */
  readonly size: number
  /** Each piece is compared with its SHA-256 before it is given. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/** A backup of Bewaar itself that can be read whole. */
export interface OwnContent {
  readonly snapshot: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly sheet: RecoverySheet
  /** Those that the sheet names, and the catalog. */
  readonly files: ReadonlyMap<string, StoredFile>
}

/** More in a row that are damaged mean that the repository is. */
const mostTried = 10

/**
 * The newest backup of Bewaar itself of which every byte can be read; or the one that is asked for.
 *
 * @param skipped - told of each newer one that is damaged, in one sentence.
 * @returns undefined when there is none. @throws `recover.no-snapshot`; for one that was asked for, what is wrong with it.
 */
export async function findOwnContent(
  { repository, vault }: OpenedVault,
  wanted: string | undefined,
  skipped: (text: string) => void,
  signal: AbortSignal,
): Promise<OwnContent | undefined> {
  await repository.loadReadableIndex(signal)
  const { snapshots } = await repository.listSnapshots(signal)
  const own = snapshots.filter(({ snapshot }) => snapshot.tags?.includes(`project:${ownProject}`))
  const chosen = wanted === undefined ? own.toReversed() : own.filter(({ id }) => id.startsWith(wanted))
  if (wanted !== undefined && chosen.length === 0) {
    throw usecaseError('recover.no-snapshot', { place: vault.name, snapshot: wanted })
  }
  for (const { id, snapshot } of chosen.slice(0, mostTried)) {
    const time = Number(parseTime(snapshot.time) / 1_000_000n)
    try {
      return { snapshot: id, time, ...(await readWhole(repository, snapshot.tree, signal)) }
    } catch (thrown) {
      if (signal.aborted || wanted !== undefined || !(thrown instanceof AppError)) throw thrown
      skipped(`The backup ${id.slice(0, 8)} of ${new Date(time).toISOString()} cannot be used: ${textOf(thrown)}`)
    }
  }
  return undefined
}

async function readWhole(
  repository: Repository,
  tree: string,
  signal: AbortSignal,
): Promise<Pick<OwnContent, 'sheet' | 'files'>> {
  const sheet = decodeSheet(await textAt(repository, tree, sheetPlace, signal))
  const files = new Map<string, StoredFile>()
  for (const at of [...sheet.files.map((file) => file.at), catalogPlace]) {
    const node = await getFile(repository, tree, at, signal)
    const file = {
      at,
      size: node.size ?? 0,
      read: (stop?: AbortSignal) => repository.loadBlobs('data', node.content ?? [], stop),
    }
    // because what cannot be read must be known before anything is written
    for await (const _ of file.read(signal)) signal.throwIfAborted()
    files.set(at, file)
  }
  return { sheet, files }
}

/** The text of a file at a place in a snapshot. @throws `recovery.damaged` when it is not there. */
async function textAt(repository: Repository, tree: string, at: string, signal: AbortSignal): Promise<string> {
  const { content = [] } = await getFile(repository, tree, at, signal)
  const pieces = await Array.fromAsync(repository.loadBlobs('data', content, signal))
  return Buffer.concat(pieces).toString()
}

async function getFile(repository: Repository, tree: string, at: string, signal: AbortSignal): Promise<TreeNode> {
  const [name, ...rest] = at.split('/')
  const nodes = decodeTree(await repository.loadBlob('tree', tree, signal))
  const node = nodes.find((one) => Buffer.from(one.name).toString() === name)
  if (node?.subtree !== undefined && rest.length > 0)
    return await getFile(repository, node.subtree, rest.join('/'), signal)
  if (node?.type === 'file' && rest.length === 0) return node
  throw modelError('recovery.damaged', { reason: `${at} is not in it` })
}
