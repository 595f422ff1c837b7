import type { Directory } from '../filesystem/directory.ts'
import type { Layout } from './layout.ts'

interface OpenFolder {
  readonly directory: Directory
  users: number
}

export interface Entrance {
  /** Before a folder is opened, each time. @returns the name that it has now. */
  before?(folder: number, parent: Directory, name: Uint8Array): Uint8Array
  /** After it was opened. */
  after?(folder: number, directory: Directory): void
  /** It could not be opened, nor can anything below it; called once. */
  failed(folder: number, reason: unknown): void
}

/** Open folders that nobody uses, kept for the next one who does. */
const kept = 128

/**
 * Opens the folders of a layout below a target, one name at a time from the one above, and never through a link.
 *
 * Those used last stay open. Descriptors hold for all threads, from `acquire` to `release`.
 */
export class OpenFolders implements Disposable {
  readonly #layout: Layout
  readonly #entrance: Entrance
  /** Least recently used first. */
  readonly #open = new Map<number, OpenFolder>()
  readonly #failed = new Set<number>()
  /** As many may be open before those that nobody uses are closed. */
  #room = kept

  /** @param root - stays with its owner. */
  constructor(layout: Layout, root: Directory, entrance: Entrance) {
    this.#layout = layout
    this.#entrance = entrance
    this.#open.set(0, { directory: root, users: 1 })
  }

  /** undefined when the folder, or one above it, could not be opened. */
  acquire(folder: number): Directory | undefined {
    const way: number[] = []
    let at = folder
    for (; !this.#open.has(at); at = this.#layout.folders.get(at, 'parent')) way.push(at)
    let holder = this.#use(at)
    while (way.length > 0) {
      const next = way.pop()!
      const opened = this.#enter(next, holder.directory)
      holder.users--
      if (!opened) return undefined
      holder = opened
      this.#close()
    }
    return holder.directory
  }

  /** A folder that is acquired. */
  get(folder: number): Directory {
    return this.#open.get(folder)!.directory
  }

  release(folder: number): void {
    this.#open.get(folder)!.users--
  }

  [Symbol.dispose](): void {
    for (const [folder, { directory }] of this.#open) if (folder !== 0) directory[Symbol.dispose]()
    this.#open.clear()
  }

  #use(folder: number): OpenFolder {
    const open = this.#open.get(folder)!
    open.users++
    this.#open.delete(folder)
    this.#open.set(folder, open)
    return open
  }

  #enter(folder: number, parent: Directory): OpenFolder | undefined {
    if (this.#failed.has(folder)) return undefined
    let directory: Directory | undefined
    try {
      const { name } = this.#layout.recordOfFolder(folder)
      directory = parent.openChild(this.#entrance.before?.(folder, parent, name) ?? name)
      this.#entrance.after?.(folder, directory)
    } catch (thrown) {
      directory?.[Symbol.dispose]()
      this.#failed.add(folder)
      this.#entrance.failed(folder, thrown)
      return undefined
    }
    const open = { directory, users: 1 }
    this.#open.set(folder, open)
    return open
  }

  /** Rarely, because it looks at all of them. */
  #close(): void {
    if (this.#open.size <= this.#room) return
    const inUse = this.#open.values().reduce((count, { users }) => count + Number(users > 0), 0)
    for (const [folder, { directory, users }] of this.#open) {
      if (this.#open.size <= inUse + kept / 2) break
      if (users > 0) continue
      directory[Symbol.dispose]()
      this.#open.delete(folder)
    }
    this.#room = inUse + kept
  }
}
