import { textOf } from '#base'
import type { Sealer } from '../crypto/seal.ts'
import { decodeTree } from '../format/tree-node.ts'
import type { OpenedTree, SealedRun, TreesJob, TreesResult } from './job.ts'
import { RecordWriter } from './node-record.ts'
import { largestBlob, openBlob } from '../repository/open-blob.ts'

export function openTrees(job: TreesJob, sealer: Sealer): TreesResult {
  const writer = new RecordWriter()
  const trees: OpenedTree[] = []
  for (let blob = 0; blob * 3 < job.run.places.length; blob++) {
    const start = writer.length
    try {
      const refused = writer.addTree(decodeTree(openBlobOf(job.run, blob, 'tree', sealer)))
      trees.push({ start, end: writer.length, refused })
    } catch (thrown) {
      writer.cut(start)
      trees.push({ start, end: start, refused: [], damage: textOf(thrown) })
    }
  }
  return { records: writer.take(), trees }
}

/** The plain bytes of one blob of a run, checked. @throws when it is not what its id says. */
export function openBlobOf(run: SealedRun, blob: number, type: 'data' | 'tree', sealer: Sealer): Uint8Array {
  const [start, length, plainLength] = run.places.subarray(blob * 3) as unknown as [number, number, number]
  if (plainLength > largestBlob[type])
    throw new Error(`an index says that it has ${plainLength} bytes, more than any blob`)
  const id = Buffer.from(run.ids.buffer, run.ids.byteOffset + blob * 32, 32).toString('hex')
  return openBlob(sealer, id, run.bytes.subarray(start, start + length), plainLength)
}
