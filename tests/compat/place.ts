import { accessSync, constants, statfsSync } from 'node:fs'

const memory = '/dev/shm'
const enoughBytes = 2 ** 31

/** A file system in memory, where nothing waits for a disk; undefined where there is none, or only a small one. */
export function placeInMemory(): string | undefined {
  try {
    accessSync(memory, constants.W_OK)
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize > enoughBytes ? memory : undefined
  } catch {
    return undefined // because not every system has one
  }
}
