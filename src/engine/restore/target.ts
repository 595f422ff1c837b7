import { mkdirSync } from 'node:fs'

import { systemCode, textOf } from '#base'
import { Directory } from '../filesystem/directory.ts'
import { restoreError } from './errors.ts'
import type { ExistingPolicy } from './request.ts'

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

function unusable(target: Buffer, thrown: unknown): Error {
  return restoreError('restore.target-unusable', { target: target.toString(), reason: textOf(thrown) }, thrown)
}
