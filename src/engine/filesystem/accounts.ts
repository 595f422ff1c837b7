import { readFileSync } from 'node:fs'

import { findLibc, type Libc } from './libc.ts'

const largest = 1 << 20
const erange = 34

/**
 * Names of the users and groups of this machine, each asked for once.
 *
 * Asks the C library, which knows those of a directory service too; without it, reads /etc/passwd and /etc/group.
 */
export class Accounts {
  readonly #users = new Map<number, string>()
  readonly #groups = new Map<number, string>()
  readonly #files = new Map<string, ReadonlyMap<number, string>>()

  /** '' when the number has no name. */
  nameOfUser(uid: number): string {
    let name = this.#users.get(uid)
    if (name === undefined) {
      const libc = findLibc()
      name = libc ? ask(libc, 'getpwuid_r', uid) : this.#read('/etc/passwd', uid)
      this.#users.set(uid, name)
    }
    return name
  }

  /** '' when the number has no name. */
  nameOfGroup(gid: number): string {
    let name = this.#groups.get(gid)
    if (name === undefined) {
      const libc = findLibc()
      name = libc ? ask(libc, 'getgrgid_r', gid) : this.#read('/etc/group', gid)
      this.#groups.set(gid, name)
    }
    return name
  }

  #read(path: string, id: number): string {
    let names = this.#files.get(path)
    if (!names) {
      names = readNames(path)
      this.#files.set(path, names)
    }
    return names.get(id) ?? ''
  }
}

/** The name is the first field of both `struct passwd` and `struct group`, a pointer into `text`. */
function ask(libc: Libc, call: 'getpwuid_r' | 'getgrgid_r', id: number): string {
  const entry = Buffer.alloc(256)
  const found = Buffer.alloc(8)
  for (let size = 4096; size <= largest; size *= 4) {
    const text = Buffer.alloc(size)
    const failed = libc[call](id, entry, text, BigInt(size), found)
    if (failed === erange) continue
    return failed !== 0 || found.readBigUInt64LE() === 0n ? '' : libc.textAt(entry.readBigUInt64LE())
  }
  return ''
}

/** Source: passwd(5) and group(5): name, password and number come first in both. */
function readNames(path: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  let lines: string[]
  try {
    lines = readFileSync(path, 'utf8').split('\n')
  } catch {
    return names // because a machine without the file has no names for its numbers
  }
  for (const line of lines) {
    const [name, , id] = line.split(':')
    if (name && id && /^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name)
  }
  return names
}
