/**
 * Index files: in which pack each blob lies, and where.
 *
 *     {"packs":[{"id":…,"blobs":[{"id":…,"type":"data"|"tree","offset":n,"length":n,"uncompressed_length":n}, …]}, …]}
 *
 * Source: restic-format §7.
 */
import { ByteWriter } from './byte-writer.ts'
import { damaged } from './errors.ts'
import * as json from './json.ts'

export interface IndexedBlob {
  readonly id: string
  readonly type: 'data' | 'tree'
  /** Place in the pack of the sealed blob, and its bytes there. */
  readonly offset: number
  readonly length: number
  /** Bytes before compression; 0 = stored raw. */
  readonly uncompressedLength: number
}

/** A pack as an index file lists it; `id` is lower-case hex. */
export interface IndexedPack {
  readonly id: string
  readonly blobs: readonly IndexedBlob[]
}

export function encodeIndex(packs: readonly IndexedPack[]): Uint8Array {
  const capacity = packs.reduce((sum, { blobs }) => sum + longestPack + blobs.length * longestBlob, longestPack)
  const writer = new ByteWriter(capacity)
  writer.ascii('{"packs":[')
  for (const [nth, { id, blobs }] of packs.entries()) {
    writer.ascii(`${nth === 0 ? '' : ','}{"id":"`)
    writer.ascii(id)
    writer.ascii('","blobs":[')
    for (const [place, blob] of blobs.entries()) {
      if (place > 0) writer.ascii(',')
      writeBlob(writer, blob)
    }
    writer.ascii(']}')
  }
  writer.ascii(']}\n')
  return writer.written()
}

/** Bytes that a blob takes at the most, and a pack besides its blobs. */
const longestBlob = 170
const longestPack = 100

function writeBlob(writer: ByteWriter, { id, type, offset, length, uncompressedLength }: IndexedBlob): void {
  writer.ascii('{"id":"')
  writer.ascii(id)
  writer.ascii(type === 'data' ? '","type":"data","offset":' : '","type":"tree","offset":')
  writer.count(offset)
  writer.ascii(',"length":')
  writer.count(length)
  if (uncompressedLength > 0) {
    writer.ascii(',"uncompressed_length":')
    writer.count(uncompressedLength)
  }
  writer.ascii('}')
}

const what = 'index'

/**
 * The packs of one index file, in its order; blobs of a pack may be in any order and overlap if the file says so.
 *
 * @throws `format.damaged`.
 */
export function decodeIndex(bytes: Uint8Array): IndexedPack[] {
  const fields = json.parseObject(bytes, what)
  return json.asList(fields['packs'], what).map((value) => {
    const pack = json.asObject(value, what)
    return { id: json.asId(pack['id'], what), blobs: json.asList(pack['blobs'], what).map(decodeBlob) }
  })
}

function decodeBlob(value: unknown): IndexedBlob {
  const fields = json.asObject(value, what)
  const { type } = fields
  if (type !== 'data' && type !== 'tree') throw damaged(what, 'a blob is neither data nor tree')
  return {
    id: json.asId(fields['id'], what),
    type,
    offset: json.asCount(fields['offset'], what, json.maximumUint32),
    length: json.asCount(fields['length'], what, json.maximumUint32),
    uncompressedLength: json.asCount(fields['uncompressed_length'], what, json.maximumUint32),
  }
}
