import { existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import { randomHex } from '#base'
import { folderState, type Layout } from './layout.ts'
import { isTemporaryName } from './write-files.ts'

/**
 * What lies beside its place, whole and under a name of its own, until all may take theirs: entries of folders that were there, and
 * the topmost of folders that were not, with everything in them. The names are those that a later restore sweeps away.
 */
export class Stage {
  readonly #layout: Layout
  readonly #prefix = randomHex(8)
  /** 1 for each entry that is there, or may be. */
  readonly #entries: Uint8Array
  /** Folders that were made. */
  readonly #tops = new Set<number>()

  constructor(layout: Layout) {
    this.#layout = layout
    this.#entries = new Uint8Array(layout.entries.length)
  }

  /** Under which name an entry is made; undefined when its own does, because its folder was not there. */
  nameOfEntry(entry: number): Buffer | undefined {
    const folder = this.#layout.entries.get(entry, 'folder')
    return this.#isMade(folder) ? undefined : this.#name('e', entry)
  }

  addEntry(entry: number): void {
    this.#entries[entry] = 1
  }

  /** It has taken its place, or was given up. */
  dropEntry(entry: number): void {
    this.#entries[entry] = 0
  }

  *entries(): Generator<number, void, void> {
    for (let entry = this.#entries.indexOf(1); entry >= 0; entry = this.#entries.indexOf(1, entry + 1)) yield entry
  }

  /** Under which name a folder is made; undefined when its own does, because the one above is made too. */
  nameOfFolder(folder: number): Buffer | undefined {
    const isTop = folder > 0 && this.#isMade(folder) && !this.#isMade(this.#layout.folders.get(folder, 'parent'))
    return isTop ? this.#name('f', folder) : undefined
  }

  addFolder(folder: number): void {
    this.#tops.add(folder)
  }

  dropFolder(folder: number): void {
    this.#tops.delete(folder)
  }

  hasFolder(folder: number): boolean {
    return this.#tops.has(folder)
  }

  folders(): number[] {
    return [...this.#tops]
  }

  #isMade(folder: number): boolean {
    return folder > 0 && this.#layout.folders.get(folder, 'state') === folderState.create
  }

  #name(kind: 'e' | 'f', number: number): Buffer {
    return Buffer.from(`.bewaar-${this.#prefix}${kind}${number.toString(16).padStart(7, '0')}.part`)
  }
}

/** Bytes that stay free whatever comes: names, folders, and what others write meanwhile. */
const leftFree = 2 ** 28

/** Whether as many bytes more find room where a target is, or will be. */
export function hasRoom(target: Buffer, bytes: number): boolean {
  let path = resolve(target.toString('latin1'))
  while (!existsSync(Buffer.from(path, 'latin1'))) path = dirname(path)
  const { bavail, frsize } = statfsSync(Buffer.from(path, 'latin1'))
  return bavail * frsize > bytes * 1.02 + leftFree
}

/** Whether everything can wait beside its place: nothing that is there has to go before something can be made. */
export function isStageable({ folders, removals }: Pick<Layout, 'folders' | 'removals'>): boolean {
  for (let folder = 1; folder < folders.length; folder++) {
    if (folders.get(folder, 'state') === folderState.replace) return false
  }
  return removals.every(({ first, name }) => !first || isTemporaryName(name))
}
