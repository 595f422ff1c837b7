/** The judges of a restored tree: rsync, and an own comparison of what rsync does not see. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type BigIntStats,
} from 'node:fs'

import { quoteName } from '#engine'
import { at, type BlindSpot } from './trees.ts'

export interface ComparisonOptions {
  /** What is allowed to differ. */
  readonly blind?: readonly BlindSpot[]
  /** Paths of the source that the copy must not have. */
  readonly leftOut?: readonly string[]
}

/** @throws AssertionError when `copy` is not `source`, in content and in all metadata that can be set, itself included. */
export function assertSameTree(
  source: string,
  copy: string,
  { blind = [], leftOut = [] }: ComparisonOptions = {},
): void {
  const expected = inventory(source, blind)
  for (const path of leftOut) assert.ok(expected.delete(path), `${path} should be in ${source}`)
  const found = inventory(copy, blind)
  const differing = [...new Set([...expected.keys(), ...found.keys()])].filter(
    (path) => expected.get(path) !== found.get(path),
  )
  const lines = differing.slice(0, 20).map((path) => `${path}\n  - ${expected.get(path)}\n  + ${found.get(path)}`)
  assert.equal(lines.join('\n'), '', `${differing.length} entries differ`)
  if (!blind.includes('deep-paths')) assert.deepEqual(attributes(copy, blind), attributes(source, blind, leftOut))
  if (blind.length === 0) assert.equal(rsyncDifferences(source, copy, leftOut), '')
}

/** Bytes that the files of a tree take on the disk. */
export function allocatedBytes(folder: string): number {
  let sum = 0
  walk(folder, '', (_path, _full, stats) => void (sum += stats.isFile() ? Number(stats.blocks) * 512 : 0))
  return sum
}

function rsyncDifferences(source: string, copy: string, leftOut: readonly string[]): string {
  const args = ['-aHAXn', '--checksum', '--delete', '--itemize-changes', ...leftOut.map((path) => `--exclude=/${path}`)]
  const { stdout, stderr } = spawnSync('rsync', [...args, `${source}/`, `${copy}/`], { maxBuffer: 2 ** 28 })
  return `${stdout.toString()}${stderr.toString()}`
}

/** What each entry is, in one line, by its path; the folder itself is ''. */
function inventory(folder: string, blind: readonly BlindSpot[]): Map<string, string> {
  const found = new Map<string, string>()
  const groups = new Map<bigint, string[]>()
  walk(folder, '', (path, full, stats) => {
    found.set(path, describe(full, stats, blind))
    const isGrouped = stats.nlink > 1n && (stats.isFile() || !blind.includes('links-of-others'))
    if (!stats.isDirectory() && isGrouped) groups.set(stats.ino, [...(groups.get(stats.ino) ?? []), path])
  })
  for (const paths of groups.values()) {
    const names = paths.sort().join(' | ')
    if (paths.length > 1) for (const path of paths) found.set(path, `${found.get(path)} one with ${hash(names)}`)
  }
  return found
}

function describe(path: Buffer, stats: BigIntStats, blind: readonly BlindSpot[]): string {
  const { mode, uid, gid, mtimeNs } = stats
  const time = blind.includes('far-times') ? 'some time' : mtimeNs
  const common = `${mode.toString(8)} ${uid}:${gid} ${time}`
  if (stats.isFile()) return `file ${common} ${stats.size} ${contentHash(path)}`
  if (stats.isSymbolicLink()) {
    const target = blind.includes('link-targets')
      ? 'somewhere'
      : readlinkSync(path, { encoding: 'buffer' }).toString('hex')
    return `link ${common} ${target}`
  }
  const device = stats.isBlockDevice() || stats.isCharacterDevice() ? ` ${stats.rdev}` : ''
  return `other ${common}${device}`
}

/** Works at any depth, because each folder is reached from the one above it. */
function walk(
  folder: string | Buffer,
  path: string,
  see: (path: string, full: Buffer, stats: BigIntStats) => void,
): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const here = `/proc/self/fd/${fd}`
    if (path === '') see('', Buffer.from(`${here}/.`), lstatSync(`${here}/.`, { bigint: true }))
    for (const name of readdirSync(here, { encoding: 'buffer' })) {
      const full = at(here, name)
      const stats = lstatSync(full, { bigint: true })
      const below = path === '' ? quoteName(name) : `${path}/${quoteName(name)}`
      see(below, full, stats)
      if (stats.isDirectory()) walk(full, below, see)
    }
  } finally {
    closeSync(fd)
  }
}

/** One for all files, because most are much smaller. */
const piece = Buffer.alloc(2 ** 20)

function contentHash(path: Buffer): string {
  const sha256 = createHash('sha256')
  const fd = openSync(path, constants.O_RDONLY)
  try {
    for (let length = readSync(fd, piece); length > 0; length = readSync(fd, piece)) {
      sha256.update(piece.subarray(0, length))
    }
  } finally {
    closeSync(fd)
  }
  return sha256.digest('hex')
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** All attributes and access control lists as getfattr prints them: one text for each entry that has some. */
function attributes(folder: string, blind: readonly BlindSpot[], leftOut: readonly string[] = []): string[] {
  const args = ['--recursive', '--physical', '--no-dereference', '--dump', '--match=-', '--encoding=hex', '.']
  const { stdout, stderr } = spawnSync('getfattr', args, { cwd: folder, maxBuffer: 2 ** 28 })
  assert.equal(stderr.toString(), '')
  const entries = stdout
    .toString()
    .split('\n\n')
    .filter((entry) => entry !== '')
  const wanted = entries.filter((entry) => !leftOut.some((path) => entry.startsWith(`# file: ${path}\n`)))
  return blind.includes('link-attributes') ? [] : wanted.map((entry) => entry.split('\n').sort().join('\n')).sort()
}
