import { AppError, mapInOrder, textOf } from '#base'
import { decodeTree } from '../format/tree-node.ts'
import type { BlobLocation } from '../repository/blob-index.ts'
import type { PackMemory } from '../repository/pack-memory.ts'
import type { Crew } from './crew.ts'
import type { SealedRun, TreesResult } from './job.ts'
import type { Layout } from './layout.ts'
import { RecordWriter, type RefusedNode } from './node-record.ts'
import { cutRanges, type RangeLimits } from './ranges.ts'
import type { BlobSource } from './source.ts'

/** Of one request, and one job of a thread. */
const limits: RangeLimits = { bytes: 2 ** 22, blobs: 512 }

/** A tree whose records lie in a piece of a layout. */
export interface ReadTree {
  readonly piece: number
  /** Half-open. */
  readonly start: number
  readonly end: number
  readonly refused: readonly RefusedNode[]
}

interface WantedTree extends BlobLocation {
  readonly id: string
}

/**
 * Reads many trees at once, those that lie together with one request, and puts their nodes into `layout`.
 *
 * @param ids - hex, each once.
 * @returns for each id the tree, or why it cannot be read although all copies were tried.
 */
export async function readTrees(
  source: BlobSource,
  layout: Layout,
  crew: Crew,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, ReadTree | string>> {
  const trees = new Map<string, ReadTree | string>()
  const again: string[] = []
  const wanted = new Map<string, WantedTree[]>()
  for (const id of ids) {
    const [place] = source.index.find('tree', id)
    if (!place) again.push(id)
    else if (wanted.has(place.packId)) wanted.get(place.packId)!.push({ ...place, id })
    else wanted.set(place.packId, [{ ...place, id }])
  }

  const openRun = async (run: readonly WantedTree[]): Promise<void> => {
    signal?.throwIfAborted()
    const read = (sealed: SealedRun): Promise<TreesResult> => crew.run({ kind: 'trees', run: sealed })
    const result = await withRun(source, crew.memory, run, read, signal)
    if (!result) return void again.push(...run.map(({ id }) => id))
    const piece = layout.addPiece(result.records)
    for (const [position, { start, end, refused, damage }] of result.trees.entries()) {
      const { id } = run[position]!
      if (damage === undefined) trees.set(id, { piece, start, end, refused })
      else again.push(id)
    }
  }
  for await (const _ of mapInOrder(runsOf(wanted), openRun, crew.jobsAhead)) {
    // because the trees come by themselves, and only the end is waited for
  }
  for (const id of again) trees.set(id, await readAlone(source, layout, id, signal))
  return trees
}

function* runsOf(wanted: ReadonlyMap<string, WantedTree[]>): Generator<readonly WantedTree[], void, void> {
  for (const blobs of wanted.values())
    yield* cutRanges(
      blobs.sort((a, b) => a.offset - b.offset),
      limits,
    )
}

/** Slowly, but from whichever copy is sound. */
async function readAlone(
  source: BlobSource,
  layout: Layout,
  id: string,
  signal?: AbortSignal,
): Promise<ReadTree | string> {
  try {
    const writer = new RecordWriter()
    const refused = writer.addTree(decodeTree(await source.loadBlob('tree', id, signal)))
    return { piece: layout.addPiece(writer.take()), start: 0, end: writer.length, refused }
  } catch (thrown) {
    if (isLoss(thrown)) return textOf(thrown)
    throw thrown
  }
}

/** Damaged or gone, unlike a place that does not answer. */
export function isLoss(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.kind === 'damaged' || thrown.kind === 'missing')
}

/** A blob, where it lies, and its hex id. */
export interface PlacedBlob extends BlobLocation {
  readonly id: string
}

/**
 * Loads blobs of one pack, sorted by offset, with one request, and passes them on; their bytes are used again afterwards.
 *
 * @returns what became of them; undefined when the pack is damaged or gone.
 */
export async function withRun<Result>(
  source: BlobSource,
  memory: PackMemory,
  blobs: readonly PlacedBlob[],
  use: (run: SealedRun) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result | undefined> {
  const start = blobs[0]!.offset
  const last = blobs.at(-1)!
  const range = { start, end: last.offset + last.length }
  let bytes: Uint8Array<SharedArrayBuffer>
  try {
    bytes = await memory.load(source.backend, { type: 'pack', name: last.packId }, range, signal)
  } catch (thrown) {
    if (isLoss(thrown)) return undefined
    throw thrown
  }
  const places = new Uint32Array(blobs.length * 3)
  for (const [position, { offset, length, uncompressedLength }] of blobs.entries()) {
    places.set([offset - start, length, uncompressedLength], position * 3)
  }
  const result = await use({ bytes, ids: blobs.map(({ id }) => id).join(''), places })
  memory.giveBack(bytes.buffer)
  return result
}
