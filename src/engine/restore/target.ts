import { mkdirSync } from 'node:fs'

import { systemCode, textOf } from '#base'
import { sha256Hex } from '../crypto/hash.ts'
import { Directory } from '../filesystem/directory.ts'
import { restoreError } from './errors.ts'
import { removeEntry } from './remove-entry.ts'
import type { ExistingPolicy } from './request.ts'
import { giveName } from './write-files.ts'

/**
 * Opens the folder to restore to; undefined when it is not there, or empty, so that nothing in it can be in the way.
 *
 * @throws `restore.target-taken`; `restore.target-unusable`.
 */
export function openTarget(target: Buffer, existing: ExistingPolicy): Directory | undefined {
  let directory: Directory
  try {
    directory = Directory.open(target)
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined
    throw unusable(target, thrown)
  }
  const isEmpty = directory.names().length === 0
  if (!isEmpty && existing !== 'refuse') return directory
  directory[Symbol.dispose]()
  if (isEmpty) return undefined
  throw restoreError('restore.target-taken', { target: target.toString() })
}

/** Opens the folder and makes it when it is not there. @throws as `openTarget`. */
export function makeTarget(target: Buffer, existing: ExistingPolicy): Directory {
  openTarget(target, existing)?.[Symbol.dispose]()
  try {
    // because whoever the data belongs to must be able to reach it: only the folder itself is closed until it has its own mode
    const parent = target.subarray(0, Math.max(0, target.lastIndexOf('/')))
    if (parent.length > 0) mkdirSync(parent, { recursive: true })
    mkdirSync(target, { recursive: true, mode: 0o700 })
    return Directory.open(target)
  } catch (thrown) {
    throw unusable(target, thrown)
  }
}

interface Waits {
  readonly parent: Directory
  readonly name: Buffer
  readonly own: Buffer
}

/**
 * The folder that is restored to. One that is not there can be made beside its place, to wait there under a name that follows from its
 * own, so that whoever comes after a kill finds it and begins anew.
 */
export class Target implements Disposable {
  readonly root: Directory
  #waits: Waits | undefined

  private constructor(root: Directory, waits?: Waits) {
    this.root = root
    this.#waits = waits
  }

  /** @throws as `openTarget`. */
  static make(target: Buffer, existing: ExistingPolicy, { waits }: { readonly waits: boolean }): Target {
    const place = waits ? placeOf(target) : undefined
    if (!place || isThere(target)) return new Target(makeTarget(target, existing))
    const { above, name, own } = place
    try {
      mkdirSync(above, { recursive: true })
      const parent = Directory.open(above)
      removeEntry(parent, name)
      parent.makeDirectory(name)
      return new Target(parent.openChild(name), { parent, name, own })
    } catch (thrown) {
      throw unusable(target, thrown)
    }
  }

  /** Gives it its name, when it waits. @throws `restore.target-unusable` when something has it by now. */
  place(): void {
    if (!this.#waits) return
    const { parent, name, own } = this.#waits
    try {
      giveName(parent, name, own, true)
    } catch (thrown) {
      throw unusable(own, thrown)
    }
    parent[Symbol.dispose]()
    this.#waits = undefined
  }

  [Symbol.dispose](): void {
    this.root[Symbol.dispose]()
    if (!this.#waits) return
    const { parent, name } = this.#waits
    removeEntry(parent, name)
    parent[Symbol.dispose]()
  }
}

/** Removes what a restore that was killed has left of a target that was not there. */
export function removeWaitingTarget(target: Buffer): void {
  const place = placeOf(target)
  if (!place || !isThere(place.above)) return
  using parent = Directory.open(place.above)
  removeEntry(parent, place.name)
}

/** Where a folder waits; undefined for one without a name of its own. */
function placeOf(target: Buffer): { readonly above: Buffer; readonly name: Buffer; readonly own: Buffer } | undefined {
  const path = target.at(-1) === 0x2f ? target.subarray(0, -1) : target
  const slash = path.lastIndexOf('/')
  if (slash < 0) return undefined
  const own = Buffer.from(path.subarray(slash + 1))
  const name = Buffer.from(`.bewaar-${sha256Hex(own).slice(0, 24)}.part`)
  return { above: path.subarray(0, Math.max(slash, 1)), name, own }
}

function isThere(path: Buffer): boolean {
  try {
    Directory.open(path)[Symbol.dispose]()
    return true
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return false
    throw unusable(path, thrown)
  }
}

function unusable(target: Buffer, thrown: unknown): Error {
  return restoreError('restore.target-unusable', { target: target.toString(), reason: textOf(thrown) }, thrown)
}
