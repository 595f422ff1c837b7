import { constants, type BigIntStats } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, unlink, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { randomHex, systemClock, systemCode } from '#base'
import { sha256Hex } from '../crypto/hash.ts'
import { isFileName } from './file-ref.ts'
import type { ByteRange, FileRef, FileType } from './backend.ts'

/**
 * Files of one repository that are kept on this machine:
 *
 *     <root>/CACHEDIR.TAG
 *     <root>/<repository>/{index,snapshot,pack}/<name>
 *
 * Several processes may use it at once, and anybody may remove it at any time. Nothing is made durable: what a power cut
 * leaves behind is found out by its SHA-256. Nothing here throws for what the file system says.
 */
export class CacheFolder {
  /** Bytes; nothing larger is kept. */
  readonly largestFile: number
  readonly #root: string
  readonly #folder: string
  readonly #maxBytes: number
  /** What a file looked like when its SHA-256 was its name. */
  readonly #verified = new Map<string, string>()
  readonly #refused = new Set<string>()
  #writtenBytes = Number.POSITIVE_INFINITY
  #isBroken = false

  constructor(root: string, repository: string, maxBytes: number) {
    this.#root = root
    this.#folder = join(root, repository)
    this.#maxBytes = maxBytes
    this.largestFile = Math.min(64 * 1024 * 1024, Math.floor(maxBytes / 4))
  }

  /** A fresh array, or undefined when the file is not there, is not what its name says, or ends before `range` does. */
  async read(ref: FileRef, range?: ByteRange): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(ref)
    try {
      // O_NONBLOCK, because opening a fifo of that name would wait for ever
      const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        const bytes = await this.#readVerified(handle, ref, range)
        if (bytes === undefined) await this.drop(ref)
        else if (range === undefined || bytes.length === range.end - range.start) return bytes
        return undefined
      } finally {
        await handle.close()
      }
    } catch {
      return undefined // because what cannot be read here is loaded from the place
    }
  }

  /**
   * Keeps a file when its SHA-256 is its name.
   *
   * @returns whether it is, and is not too large; it may not be kept all the same.
   */
  async write(ref: FileRef, bytes: Uint8Array): Promise<boolean> {
    if (bytes.length > this.largestFile || sha256Hex(bytes) !== ref.name) {
      this.refuse(ref)
      return false
    }
    if (this.#isBroken) return true
    try {
      await this.#writeWhole(this.#pathOf(ref), bytes)
      this.#writtenBytes += bytes.length
      if (this.#writtenBytes > this.#maxBytes / 16) {
        this.#writtenBytes = 0
        await shrink(this.#root, this.#maxBytes)
      }
    } catch (thrown) {
      // because a folder that is full, or not ours, costs time with each file; one that was removed is made again
      this.#isBroken = systemCode(thrown) !== 'ENOENT'
    }
    return true
  }

  async drop(ref: FileRef): Promise<void> {
    this.#verified.delete(ref.name)
    if (folderNames.has(ref.type)) await rm(this.#pathOf(ref), { force: true, recursive: true }).catch(() => {})
  }

  async names(type: FileType): Promise<string[]> {
    return folderNames.has(type) ? (await namesIn(join(this.#folder, type))).filter(isFileName) : []
  }

  /** Whether fetching it was of no use before. */
  refuses({ name }: FileRef): boolean {
    return this.#refused.has(name)
  }

  refuse({ name }: FileRef): void {
    this.#refused.add(name)
  }

  #pathOf({ type, name }: FileRef): string {
    return join(this.#folder, type, name)
  }

  /** Undefined for what must not stay; fewer bytes than asked for when it ends before `range` does. */
  async #readVerified(handle: FileHandle, { name }: FileRef, range?: ByteRange): Promise<Uint8Array | undefined> {
    await touch(handle)
    const found = await handle.stat({ bigint: true })
    if (!found.isFile() || found.size > this.largestFile) return undefined
    if (range !== undefined && range.end > found.size) return new Uint8Array()
    const looks = looksOf(found)
    if (range !== undefined && this.#verified.get(name) === looks) return await readPart(handle, range)
    const whole = await readPart(handle, { start: 0, end: Number(found.size) })
    if (sha256Hex(whole) !== name) return undefined
    this.#verified.set(name, looks)
    return range === undefined ? whole : whole.slice(range.start, range.end)
  }

  async #writeWhole(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${path}-tmp-${randomHex(8)}`
    try {
      await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600 }).catch(async (thrown: unknown) => {
        if (systemCode(thrown) !== 'ENOENT') throw thrown
        await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
        await writeTag(this.#root)
        await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600 })
      })
      await rename(temporary, path)
    } catch (thrown) {
      await rm(temporary, { force: true }).catch(() => {}) // because the first trouble is the news
      throw thrown
    }
  }
}

/** Only these are ever kept. */
const folderNames: ReadonlySet<string> = new Set<FileType>(['index', 'snapshot', 'pack'])

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs

/** Its time of modification says when it was last used, to the hour. */
async function touch(handle: FileHandle): Promise<void> {
  const now = systemClock.now()
  if (now - (await handle.stat()).mtimeMs > hourMs) await handle.utimes(now / 1000, now / 1000)
}

/** Whoever changes a file changes its time of change. */
function looksOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

/** Fewer bytes when the file ends before. */
async function readPart(handle: FileHandle, { start, end }: ByteRange): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(end - start)
  let size = 0
  while (size < bytes.length) {
    const { bytesRead } = await handle.read(bytes, size, bytes.length - size, start + size)
    if (bytesRead === 0) break
    size += bytesRead
  }
  return bytes.subarray(0, size)
}

/** So that backups leave the folder out. Source: https://bford.info/cachedir/ */
async function writeTag(root: string): Promise<void> {
  const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n# Files of repositories, kept to be read faster.\n'
  await writeFile(join(root, 'CACHEDIR.TAG'), tag, { flag: 'wx' }).catch(() => {}) // because it is there already
}

interface KeptFile {
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
}

/** Removes the files that were not used for longest until nine tenths of the room are left, and what killed writers left. */
async function shrink(root: string, maxBytes: number): Promise<void> {
  const now = systemClock.now()
  const files: KeptFile[] = []
  for (const repository of (await namesIn(root)).filter(isFileName)) {
    for (const type of folderNames) {
      const folder = join(root, repository, type)
      for (const name of await namesIn(folder)) {
        const path = join(folder, name)
        const found = await stat(path).catch(() => undefined)
        if (found === undefined) continue
        if (isFileName(name)) files.push({ path, size: found.size, mtimeMs: found.mtimeMs })
        else if (now - found.mtimeMs > dayMs) await unlink(path).catch(() => {}) // because another process was first
      }
    }
  }
  let total = files.reduce((sum, { size }) => sum + size, 0)
  if (total <= maxBytes) return
  for (const { path, size } of files.toSorted((one, other) => one.mtimeMs - other.mtimeMs)) {
    if (total <= maxBytes * 0.9) return
    await unlink(path).catch(() => {}) // because another process was first
    total -= size
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => [])
}
