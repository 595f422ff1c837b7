import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { systemCode } from '#base'
import { translate } from './system-errors.ts'

/** The names of the folders in a folder that hold a repository. @throws `backend.place-missing`; `backend.denied`. */
export async function repositoriesInLocal(folder: string): Promise<string[]> {
  const root = resolve(folder)
  const found: string[] = []
  try {
    for (const name of await readdir(root)) if (await isThere(join(root, name, 'config'))) found.push(name)
  } catch (thrown) {
    throw translate(thrown, root, 'list', 'its folders')
  }
  return found
}

async function isThere(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile()
  } catch (thrown) {
    const code = systemCode(thrown)
    // because one that may not be looked into is there, and who opens it will say why not
    if (code === 'EACCES') return true
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw thrown
  }
}
