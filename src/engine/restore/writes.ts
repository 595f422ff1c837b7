import type { Layout } from './layout.ts'
import { contentIdAt } from './node-record.ts'
import type { PlacedBlob } from './read-trees.ts'

/** A blob that is to be written to a file, and where. */
export interface FileWrite extends PlacedBlob {
  readonly entry: number
  /** Bytes from the start of the file. */
  readonly position: number
}

/** All writes of one blob. */
export interface BlobWrites {
  readonly place: PlacedBlob
  readonly writes: readonly FileWrite[]
}

/**
 * For each pack, in order of first use, the writes from it, sorted by offset. Objects exist for one pack at a time.
 */
export function* writesByPack(layout: Layout): Generator<FileWrite[], void, void> {
  const { writes, packs } = layout
  const ends = new Uint32Array(packs.length + 1)
  for (let write = 0; write < writes.length; write++) ends[writes.get(write, 'pack') + 1]!++
  for (let pack = 0; pack < packs.length; pack++) ends[pack + 1]! += ends[pack]!
  const next = ends.slice()
  const order = new Uint32Array(writes.length)
  for (let write = 0; write < writes.length; write++) order[next[writes.get(write, 'pack')]!++] = write
  for (let pack = 0; pack < packs.length; pack++) {
    const ofPack = Array.from(order.subarray(ends[pack], ends[pack + 1]), (write) => readWrite(layout, write))
    yield ofPack.sort((a, b) => a.offset - b.offset || a.length - b.length)
  }
}

function readWrite({ writes, entries, pieces, packs }: Layout, write: number): FileWrite {
  const entry = writes.get(write, 'entry')
  const record = pieces[entries.get(entry, 'piece')]!
  return {
    entry,
    id: contentIdAt(record, entries.get(entry, 'at'), writes.get(write, 'index')),
    packId: packs[writes.get(write, 'pack')]!,
    offset: writes.get(write, 'offset'),
    length: writes.get(write, 'length'),
    uncompressedLength: writes.get(write, 'plain'),
    position: writes.get(write, 'high') * 2 ** 32 + writes.get(write, 'low'),
  }
}
