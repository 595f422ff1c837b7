import { textOf } from '#base'
import type { Sealer } from '../crypto/seal.ts'
import { decodeTree } from '../format/tree-node.ts'
import type { OpenedTree, TreesJob, TreesResult } from './job.ts'
import { RecordWriter } from './node-record.ts'
import { openRun } from './open-run.ts'

export function openTrees(job: TreesJob, sealer: Sealer): TreesResult {
  const writer = new RecordWriter()
  const trees: OpenedTree[] = []
  for (const plain of openRun(job.run, 'tree', sealer)) {
    const start = writer.length
    try {
      if (plain instanceof Error) throw plain
      const refused = writer.addTree(decodeTree(plain))
      trees.push({ start, end: writer.length, refused })
    } catch (thrown) {
      writer.cut(start)
      trees.push({ start, end: start, refused: [], damage: textOf(thrown) })
    }
  }
  return { records: writer.take(), trees }
}
