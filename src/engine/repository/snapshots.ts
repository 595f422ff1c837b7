import { AppError, mapInOrder } from '#base'
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '../format/snapshot.ts'
import { parseTime } from '../format/time.ts'
import { repositoryError } from './errors.ts'
import type { UnpackedFiles } from './unpacked-files.ts'

export interface StoredSnapshot {
  /** Hex id. */
  readonly id: string
  readonly snapshot: Snapshot
}

export interface SnapshotList {
  /** Oldest first; those of one time by id. */
  readonly snapshots: readonly StoredSnapshot[]
  /** Files that are there and cannot be read as snapshots. */
  readonly damaged: readonly { readonly id: string; readonly error: AppError }[]
}

/** All snapshots, those of one moment: what is saved or removed meanwhile may or may not appear. */
export async function listSnapshots(files: UnpackedFiles, signal?: AbortSignal): Promise<SnapshotList> {
  const snapshots: (StoredSnapshot & { readonly time: bigint })[] = []
  const damaged: { id: string; error: AppError }[] = []
  const load = async ({ name: id }: { name: string }): Promise<void> => {
    try {
      const snapshot = await files.read('snapshot', id, decodeSnapshot, signal)
      snapshots.push({ id, snapshot, time: parseTime(snapshot.time) })
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      if (thrown.kind === 'damaged') damaged.push({ id, error: thrown })
      else if (thrown.code !== 'backend.missing') throw thrown
    }
  }
  for await (const _ of mapInOrder(files.backend.list('snapshot', signal), load, files.backend.connections));
  snapshots.sort((a, b) => (a.time === b.time ? a.id.localeCompare(b.id) : a.time < b.time ? -1 : 1))
  return { snapshots: snapshots.map(({ id, snapshot }) => ({ id, snapshot })), damaged }
}

/**
 * The snapshot whose id begins with `name`, or the newest one for `latest`.
 *
 * @throws `repository.snapshot-missing`; `repository.snapshot-ambiguous`; `repository.file-damaged`.
 */
export async function findSnapshot(files: UnpackedFiles, name: string, signal?: AbortSignal): Promise<StoredSnapshot> {
  const { place } = files.backend
  if (name === 'latest') {
    const newest = (await listSnapshots(files, signal)).snapshots.at(-1)
    if (newest === undefined) throw repositoryError('repository.snapshot-missing', { snapshot: name, place })
    return newest
  }
  const prefix = name.toLowerCase()
  const ids = (await Array.fromAsync(files.backend.list('snapshot', signal))).map((file) => file.name)
  const matching = prefix === '' ? [] : ids.filter((id) => id.startsWith(prefix))
  const [id] = matching
  if (id === undefined) throw repositoryError('repository.snapshot-missing', { snapshot: JSON.stringify(name), place })
  if (matching.length > 1) {
    throw repositoryError('repository.snapshot-ambiguous', { snapshot: name, count: matching.length, place })
  }
  return { id, snapshot: await files.read('snapshot', id, decodeSnapshot, signal) }
}

/** @returns the hex id of the snapshot, which is durable by then. */
export function saveSnapshot(files: UnpackedFiles, snapshot: Snapshot, signal?: AbortSignal): Promise<string> {
  return files.save('snapshot', encodeSnapshot(snapshot), signal)
}

/** @throws `repository.snapshot-missing`. */
export async function removeSnapshot(files: UnpackedFiles, id: string, signal?: AbortSignal): Promise<void> {
  try {
    await files.backend.remove({ type: 'snapshot', name: id }, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'backend.missing') throw thrown
    throw repositoryError('repository.snapshot-missing', { snapshot: id, place: files.backend.place }, thrown)
  }
}
