import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs'

import { attributesOf } from './extended-attributes.ts'

/** All that a restore must bring back of one entry of a tree, as texts that can be shown. */
export type Fingerprint = Readonly<Record<string, string>>

/** Entries by their path below the root; paths are raw bytes, one character each. The root is the empty path. */
export type TreeFingerprint = ReadonlyMap<string, Fingerprint>

/** What a tree is, byte for byte: names, bytes, types, modes, owners, times in nanoseconds, links, attributes. */
export function fingerprintOf(root: string, isLeftOut: (path: string) => boolean = () => false): TreeFingerprint {
  const entries = new Map<string, Fingerprint>()
  const firstLinks = new Map<bigint, string>()
  const visit = (path: string): void => {
    const place = Buffer.concat([Buffer.from(root), Buffer.from(path && `/${path}`, 'latin1')])
    const status = lstatSync(place, { bigint: true })
    if (!status.isDirectory() && status.nlink > 1n && !firstLinks.has(status.ino)) firstLinks.set(status.ino, path)
    entries.set(path, describe(place, status, firstLinks.get(status.ino)))
    if (!status.isDirectory()) return
    const names = readdirSync(place, { encoding: 'buffer' }).map((name) => name.toString('latin1'))
    for (const name of names.toSorted()) {
      const inner = path === '' ? name : `${path}/${name}`
      if (!isLeftOut(inner)) visit(inner)
    }
  }
  visit('')
  return entries
}

function describe(place: Buffer, status: BigIntStats, linkedTo: string | undefined): Fingerprint {
  const isFile = status.isFile()
  return {
    type: typeOf(status),
    // Because Linux gives every symbolic link the same mode, and other systems none that can be set.
    ...(!status.isSymbolicLink() && { mode: (status.mode & 0o7777n).toString(8) }),
    owner: `${status.uid}:${status.gid}`,
    modified: String(status.mtimeNs),
    ...(isFile && { bytes: String(status.size), sha256: hashOf(place) }),
    ...(status.isSymbolicLink() && { target: readlinkSync(place, { encoding: 'buffer' }).toString('latin1') }),
    ...(linkedTo !== undefined && { 'linked with': linkedTo }),
    attributes: attributesOf(place),
  }
}

function typeOf(status: BigIntStats): string {
  if (status.isFile()) return 'file'
  if (status.isDirectory()) return 'folder'
  if (status.isSymbolicLink()) return 'symbolic link'
  return status.isFIFO() ? 'fifo' : 'special file'
}

function hashOf(place: Buffer): string {
  const hash = createHash('sha256')
  const piece = Buffer.alloc(1 << 20)
  const descriptor = openSync(place, 'r')
  try {
    for (;;) {
      const length = readSync(descriptor, piece)
      if (length === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, length))
    }
  } finally {
    closeSync(descriptor)
  }
}

/** Several trees as one, as the parts of a backup make up a project; the first that has a path counts. */
export function overlaid(...trees: readonly TreeFingerprint[]): TreeFingerprint {
  return new Map(trees.toReversed().flatMap((tree) => [...tree]))
}

/** Differences in words, one an entry; none when `actual` is what `expected` says, apart from what `isExtra` allows. */
export function differencesOf(
  expected: TreeFingerprint,
  actual: TreeFingerprint,
  isExtra: (path: string) => boolean = () => false,
): string[] {
  const differences: string[] = []
  for (const [path, entry] of expected) {
    const found = actual.get(path)
    if (!found) differences.push(`${shown(path)} is missing`)
    else {
      const wrong = Object.keys({ ...entry, ...found }).filter((key) => entry[key] !== found[key])
      const facts = wrong.map((key) => `${key} is ${found[key] ?? 'none'} and must be ${entry[key] ?? 'none'}`)
      if (facts.length > 0) differences.push(`${shown(path)}: ${facts.join(', ')}`)
    }
  }
  for (const path of actual.keys()) {
    if (!expected.has(path) && !isExtra(path)) differences.push(`${shown(path)} should not be there`)
  }
  return differences
}

/** What is the same in both: what nobody touched in between. */
export function unchangedIn(before: TreeFingerprint, after: TreeFingerprint): TreeFingerprint {
  const same = [...before].filter(([path, entry]) => JSON.stringify(entry) === JSON.stringify(after.get(path)))
  return new Map(same)
}

export function filesIn(tree: TreeFingerprint): { readonly files: number; readonly bytes: number } {
  const files = [...tree.values()].filter(({ type }) => type === 'file')
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + Number(bytes), 0) }
}

function shown(path: string): string {
  return JSON.stringify(path === '' ? '.' : Buffer.from(path, 'latin1').toString())
}
