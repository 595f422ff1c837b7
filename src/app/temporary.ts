import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemCode } from '#base'
import type { TemporaryFolder } from '#usecases'

const prefix = 'bewaar-'

/**
 * Makes a folder for copies that live as long as a run, and removes those that killed runs have left: they may hold
 * whole databases.
 *
 * @param parent - on a disk that has room, for the owner alone; where it cannot be written to, the system's own folder
 * for temporary files takes its place.
 */
export async function makeTemporaryFolder(parent: string): Promise<TemporaryFolder> {
  let home = parent
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    await sweep(parent)
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    home = tmpdir()
  }
  const path = await mkdtemp(join(home, `${prefix}${process.pid}-`))
  return {
    path,
    write: async (name, text) => {
      const file = join(path, name)
      await writeFile(file, text, { mode: 0o600, flag: 'wx' })
      return file
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1])
    if (pid > 0 && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return systemCode(thrown) === 'EPERM'
  }
}
