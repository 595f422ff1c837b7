import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { systemCode } from '#base'
import type { MemoryPlace } from '#engine'

/**
 * Keeps what one backup of a project to a vault remembers for the next in files below `state`: of folders, and of locks in
 * the vault. They may be removed at any time; the next backup then takes longer.
 */
export function memoryFile(
  state: string,
  vault: string,
  project: string,
  of: 'folders' | 'locks' = 'folders',
): MemoryPlace {
  const file = join(state, 'cache', vault, `${project}.${of}`)
  return {
    async load() {
      try {
        return await readFile(file)
      } catch (thrown) {
        if (systemCode(thrown) === 'ENOENT') return undefined
        throw thrown
      }
    },
    async save(bytes) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const temporary = `${file}.part`
      await writeFile(temporary, bytes, { mode: 0o600 })
      await rename(temporary, file)
    },
  }
}
