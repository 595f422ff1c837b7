import { compressStream } from './compress.ts'
import { readFile, readTree } from './read-tree.ts'
import { saveStream } from './save-stream.ts'
import { writeTar } from './tar.ts'

const tools = { compressStream, readFile, readTree, saveStream, writeTar } as const

/** What makes an archive of a snapshot: each is a stream, and none holds more than some blobs. */
export type ExportTools = typeof tools

export async function loadExport(): Promise<ExportTools> {
  return tools
}
