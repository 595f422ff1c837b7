import type { Backend, FileType } from './backend.ts'

/** How much a repository takes in its place. */
export interface PlaceUsage {
  readonly files: number
  /** Bytes, and so is `olderBytes`. */
  readonly bytes: number
  /** Of these, what older versions of files take: only S3 has them. */
  readonly olderBytes: number
}

const types: readonly FileType[] = ['config', 'key', 'lock', 'snapshot', 'index', 'pack']

/** Adds up the files of a repository, by listing them. */
export async function measureFiles(backend: Backend, signal?: AbortSignal): Promise<PlaceUsage> {
  let [files, bytes] = [0, 0]
  for (const type of types) {
    for await (const { size } of backend.list(type, signal)) {
      files++
      bytes += size
    }
  }
  return { files, bytes, olderBytes: 0 }
}
