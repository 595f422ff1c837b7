import type { BlobLocation } from '../repository/blob-index.ts'
import { largestBlob, plainLengthOf } from '../repository/open-blob.ts'
import type { Layout } from './layout.ts'
import type { NodeRecord } from './node-record.ts'
import type { BlobSource } from './source.ts'

/** Where the blobs of a file lie, or why it cannot be restored. */
export function placesOf(source: BlobSource, record: NodeRecord): BlobLocation[] | string {
  const places: BlobLocation[] = []
  let size = 0
  let missing = 0
  for (let at = 0; at < record.content.length; at += 32) {
    const [place] = source.index.find('data', record.content.subarray(at, at + 32))
    if (!place) {
      missing++
      continue
    }
    const plain = plainLengthOf(place)
    if (plain < 0 || plain > largestBlob.data || place.length > largestBlob.data) {
      return `one of its blobs would have ${plain} bytes, which none has`
    }
    size += plain
    places.push(place)
  }
  if (missing > 0) return `${missing} of the ${record.content.length / 32} blobs of its content are in no pack`
  if (size !== record.size) return `it should have ${record.size} bytes, and its content has ${size}`
  return places
}

/** Plans the writes that fill a file. @returns its plain bytes. */
export function addWrites(layout: Layout, entry: number, places: readonly BlobLocation[]): number {
  let position = 0
  for (const [index, place] of places.entries()) {
    const [high, low] = [Math.floor(position / 2 ** 32), position % 2 ** 32]
    const pack = layout.packNumber(place.packId)
    layout.writes.push(entry, index, pack, place.offset, place.length, place.uncompressedLength, high, low)
    position += plainLengthOf(place)
  }
  layout.entries.set(entry, 'blobs', places.length)
  return position
}
