import { filesystemError } from './errors.ts'
import type { Libc } from './libc.ts'

const slash = 0x2f
const dot = 0x2e

/** Whether `name` can be the name of one entry of a folder: no way leads from it to anywhere else. */
export function isEntryName(name: Uint8Array): boolean {
  const { length } = name
  if (length === 0 || (name[0] === dot && (length === 1 || (length === 2 && name[1] === dot)))) return false
  for (let i = 0; i < length; i++) {
    if (name[i] === slash || name[i] === 0) return false
  }
  return true
}

/** @throws `filesystem.name` when `name` could lead out of its folder. */
export function checkName(name: Uint8Array): void {
  if (!isEntryName(name))
    throw filesystemError('filesystem.name', { name: JSON.stringify(Buffer.from(name).toString()) })
}

const scratch = [Buffer.alloc(512), Buffer.alloc(512)] as const

/**
 * `name` as a string of C, for the one call that follows.
 *
 * @param slot - a call with two names needs both.
 * @throws `filesystem.name`; ENAMETOOLONG is left to the system.
 */
export function nameForC(name: Uint8Array, slot: 0 | 1 = 0): Buffer {
  checkName(name)
  const { length } = name
  const buffer = length < 512 ? scratch[slot] : Buffer.alloc(length + 1)
  for (let i = 0; i < length; i++) buffer[i] = name[i]!
  buffer[length] = 0
  return buffer
}

let address: bigint | undefined
let longName: Buffer = scratch[0]

/** Where `name` lies as a string of C, for the one call that follows. @throws as `nameForC`. */
export function addressOfName(libc: Libc, name: Uint8Array): bigint {
  const bytes = nameForC(name)
  if (bytes === scratch[0]) return (address ??= libc.addressOf(bytes))
  longName = bytes // because it has to live until the call
  return libc.addressOf(longName)
}

/** Any path or text as a string of C. @throws `filesystem.name` when it holds a zero byte. */
export function textForC(text: Uint8Array | string): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  if (bytes.includes(0))
    throw filesystemError('filesystem.name', { name: JSON.stringify(Buffer.from(bytes).toString()) })
  const buffer = Buffer.alloc(bytes.length + 1)
  buffer.set(bytes)
  return buffer
}
