import { lstatSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** What lies at a path, links not followed; undefined when nothing does, or it cannot be told. */
export function kindAt(path: string): 'file' | 'dir' | 'other' | undefined {
  try {
    const status = lstatSync(path)
    return status.isFile() ? 'file' : status.isDirectory() ? 'dir' : 'other'
  } catch {
    return undefined // because whoever reads it then says why it cannot be read
  }
}

/** The text of a small file that may tell what kind of project it lies in; undefined when it cannot be read. */
export async function findText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
