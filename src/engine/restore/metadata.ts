import { systemCode, textOf } from '#base'
import {
  extendedAttributeNamesOf,
  removeExtendedAttributeOf,
  setExtendedAttributeOf,
  setModeOf,
  setOwnerOf,
  setTimesOf,
} from '../filesystem/descriptor.ts'
import type { Directory } from '../filesystem/directory.ts'
import type { NodeRecord } from './node-record.ts'

/** An open file or folder, or an entry that cannot be opened: a link, a fifo, a device. */
export type Entry = number | { readonly directory: Directory; readonly name: Uint8Array }

/** Called for what could not be set, with the system's code. */
export type Note = (what: string, code: string) => void

const setIdBits = 0o6000

/**
 * Gives an entry the metadata of its node: owner, then attributes, then times, then mode.
 *
 * The order matters: a new owner takes the setuid bit and capabilities away, a mode without write permission keeps an owner
 * from setting attributes, and setuid must not stand on a file while it still belongs to somebody else.
 */
export function setMetadata(entry: Entry, node: NodeRecord, note: Note): void {
  const owned = attempt('owner', note, () => setOwner(entry, node))
  setAttributes(entry, node, note)
  attempt('times', note, () => setTimes(entry, node))
  if (node.type === 'symlink') return
  let { mode } = node
  if (!owned && (mode & setIdBits) !== 0) {
    mode &= ~setIdBits
    note('setuid and setgid, because the owner is another', 'EPERM')
  }
  attempt('mode', note, () => setMode(entry, mode))
}

function setOwner(entry: Entry, { uid, gid }: NodeRecord): void {
  if (typeof entry === 'number') setOwnerOf(entry, uid, gid)
  else entry.directory.setOwner(entry.name, uid, gid)
}

function setTimes(entry: Entry, { atimeNs, mtimeNs }: NodeRecord): void {
  if (typeof entry === 'number') setTimesOf(entry, atimeNs, mtimeNs)
  else entry.directory.setTimes(entry.name, atimeNs, mtimeNs)
}

function setMode(entry: Entry, mode: number): void {
  if (typeof entry === 'number') setModeOf(entry, mode)
  else entry.directory.setMode(entry.name, mode)
}

/** Sets those of the node, and removes others: an access control list that was inherited, or what a file had before. */
function setAttributes(entry: Entry, node: NodeRecord, note: Note): void {
  const wanted = node.extendedAttributes
  if (wanted.length === 0 && node.type === 'symlink') return
  let present: readonly string[]
  try {
    present = attributeNames(entry)
  } catch (thrown) {
    if (wanted.length > 0) note('extended attributes', codeOf(thrown))
    return
  }
  for (const name of present) {
    if (isOurs(name) && !wanted.some((attribute) => attribute.name === name)) {
      attempt(`removal of the extended attribute ${name}`, note, () => removeAttribute(entry, name))
    }
  }
  for (const { name, value } of wanted) {
    attempt(`extended attribute ${name}`, note, () => setAttribute(entry, name, value))
  }
}

/** Labels of the system's own security modules are for the machine that we are on to decide. */
function isOurs(attribute: string): boolean {
  return !attribute.startsWith('security.') || attribute === 'security.capability'
}

function attributeNames(entry: Entry): readonly string[] {
  if (typeof entry === 'number') return extendedAttributeNamesOf(entry)
  return entry.directory.extendedAttributes(entry.name).map(({ name }) => name)
}

function setAttribute(entry: Entry, name: string, value: Uint8Array): void {
  if (typeof entry === 'number') setExtendedAttributeOf(entry, name, value)
  else entry.directory.setExtendedAttribute(entry.name, name, value)
}

function removeAttribute(entry: Entry, name: string): void {
  if (typeof entry === 'number') removeExtendedAttributeOf(entry, name)
  else entry.directory.removeExtendedAttribute(entry.name, name)
}

/** @returns whether it succeeded. */
function attempt(what: string, note: Note, set: () => void): boolean {
  try {
    set()
    return true
  } catch (thrown) {
    note(what, codeOf(thrown))
    return false
  }
}

function codeOf(thrown: unknown): string {
  return systemCode(thrown) ?? textOf(thrown)
}
