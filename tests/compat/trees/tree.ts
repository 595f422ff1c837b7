/** What a tree is made of: names in raw bytes, content that is the same each time, and folders of any depth. */
import { execFileSync } from 'node:child_process'
import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'

/**
 * What restic 0.14 does not keep, so that it cannot be judged by it: targets of links that are not UTF-8, attributes of
 * links, that several names are one link or one device, paths of more than 4,096 bytes, times that are more nanoseconds
 * away from 1970 than 63 bits can count.
 */
export type BlindSpot = 'link-targets' | 'link-attributes' | 'links-of-others' | 'deep-paths' | 'far-times'

/** One thing that is hard to back up. */
export interface Tree {
  /** What is in it, as the end of "… is the same after a restore". */
  readonly title: string
  /** Fills an empty folder. */
  readonly build: (folder: string) => void
  /** Programs, and `root`; see tests/needs.ts. */
  readonly needs?: readonly string[]
  readonly blind?: readonly BlindSpot[]
  /** Paths that no backup holds. */
  readonly leftOut?: readonly string[]
  /** Files are as good as empty on the disk, however long they are. */
  readonly isSparse?: boolean
}

/** A path with raw bytes, for the calls of `node:fs`. */
export function at(folder: string | Buffer, ...names: readonly (string | Uint8Array)[]): Buffer {
  const parts = names.flatMap((name) => [Buffer.from('/'), typeof name === 'string' ? Buffer.from(name) : name])
  return Buffer.concat([Buffer.from(folder), ...parts])
}

/** A file whose content tells its name, so that two of them cannot be mixed up. */
export function writeNamed(folder: string | Buffer, ...names: readonly (string | Uint8Array)[]): void {
  for (const name of names) writeFileSync(at(folder, name), Buffer.concat([Buffer.from('I am '), Buffer.from(name)]))
}

/** One name for a file, a folder with a file in it, and a link. */
export function writeOfEachType(folder: string, ...names: readonly (string | Uint8Array)[]): void {
  for (const inner of ['files', 'folders', 'links']) mkdirSync(at(folder, inner), { recursive: true })
  for (const name of names) {
    writeNamed(at(folder, 'files'), name)
    mkdirSync(at(folder, 'folders', name))
    writeNamed(at(folder, 'folders', name), name)
    symlinkSync('nowhere', at(folder, 'links', name))
  }
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** Makes folders in folders, which together may be deeper than any path may be long. @returns a path to the last. */
export function withDeepFolder(folder: string, names: readonly string[], use: (deepest: Buffer) => void): void {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY
  let fd = openSync(folder, flags)
  try {
    for (const name of names) {
      const path = at(`/proc/self/fd/${fd}`, name)
      mkdirSync(path)
      const inner = openSync(path, flags)
      closeSync(fd)
      fd = inner
    }
    use(Buffer.from(`/proc/self/fd/${fd}`))
  } finally {
    closeSync(fd)
  }
}

/** Runs a program of the system in a folder. */
export function run(folder: string, program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}
