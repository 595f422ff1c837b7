/** What a project held, written down without any code of ours, to compare what comes back with it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { decodeTree, type Repository } from '#engine'
import type { Chance } from './chance.ts'

/** Path → what lies there: a hash of its bytes, of a database's rows, or where a link leads. */
export type Contents = Readonly<Record<string, string>>

const sqliteName = 'shop.sqlite'
const journals = [`${sqliteName}-wal`, `${sqliteName}-shm`, `${sqliteName}-journal`]

export const projectDatabases = [
  { driver: 'sqlite', path: sqliteName },
  { driver: 'json', path: 'db.json' },
] as const

export interface Amounts {
  readonly small: number
  readonly large: number
  readonly largeBytes: number
}

/** A project of small files, a few large ones, a SQLite database, a JSON database and a link. */
export function makeProject(folder: string, chance: Chance, { small, large, largeBytes }: Amounts): void {
  mkdirSync(folder, { recursive: true })
  for (let nth = 0; nth < small; nth++) {
    mkdirSync(join(folder, `d${nth % 12}`, 'deep'), { recursive: true })
    const name = nth % 3 === 0 ? join(`d${nth % 12}`, 'deep', `f${nth}`) : join(`d${nth % 12}`, `f${nth}`)
    writeFileSync(join(folder, name), chance.bytes(chance.below(3000)))
  }
  for (let nth = 0; nth < large; nth++) writeFileSync(join(folder, `large${nth}`), chance.bytes(largeBytes))
  writeFileSync(
    join(folder, 'db.json'),
    JSON.stringify({ round: 0, rows: Array.from({ length: 50 }, () => chance.next()) }),
  )
  using database = new DatabaseSync(join(folder, sqliteName))
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE shop (id INTEGER PRIMARY KEY, words TEXT)')
  addRows(database, chance, 200)
}

/** Makes the project another one: some files new, some written over, some gone, rows added. */
export function changeProject(folder: string, chance: Chance, round: number): void {
  for (let nth = 0; nth < 20; nth++) {
    writeFileSync(join(folder, `d${chance.below(12)}`, `r${round % 4}-${nth}`), chance.bytes(chance.below(40_000)))
  }
  const below = join(folder, `d${chance.below(12)}`)
  const [first, second] = readdirSync(below).filter((name) => name !== 'deep')
  if (first) writeFileSync(join(below, first), chance.bytes(chance.below(5000)))
  if (second) rmSync(join(below, second))
  if (round % 3 === 0) writeFileSync(join(folder, 'large0'), chance.bytes(3_000_000))
  writeFileSync(
    join(folder, 'db.json'),
    JSON.stringify({ round, rows: Array.from({ length: 50 }, () => chance.next()) }),
  )
  using database = new DatabaseSync(join(folder, sqliteName))
  addRows(database, chance, 20)
}

function addRows(database: DatabaseSync, chance: Chance, count: number): void {
  const insert = database.prepare('INSERT INTO shop (words) VALUES (?)')
  database.exec('BEGIN')
  for (let row = 0; row < count; row++) insert.run(chance.bytes(60).toString('base64'))
  database.exec('COMMIT')
}

/** Of a folder on disk. Journals of SQLite belong to the rows. */
export function contentsOf(folder: string, prefix = ''): Contents {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isDirectory()) Object.assign(found, { [path]: 'dir' }, contentsOf(folder, path))
    else if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(folder, path))}`
    else if (!entry.isFile()) found[path] = `special ${lstatSync(join(folder, path)).mode}`
    else if (entry.name === sqliteName) found[path] = rowsOf(join(folder, path))
    else if (!journals.includes(entry.name)) found[path] = hashOf(readFileSync(join(folder, path)))
  }
  return found
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Of a copy, because SQLite writes beside what it reads, and wants a path that it can resolve. */
function rowsOf(path: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-rows-'))
  try {
    for (const suffix of ['', '-wal']) {
      if (existsSync(path + suffix)) copyFileSync(path + suffix, join(folder, sqliteName + suffix))
    }
    return rowsIn(join(folder, sqliteName))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function rowsOfBytes(bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-rows-'))
  try {
    writeFileSync(join(folder, sqliteName), bytes)
    return rowsIn(join(folder, sqliteName))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function rowsIn(path: string): string {
  using database = new DatabaseSync(path)
  const rows = database.prepare('SELECT id, words FROM shop ORDER BY id').all()
  return `rows ${hashOf(Buffer.from(JSON.stringify(rows)))}`
}

/**
 * What snapshots hold, blob by blob; each blob is loaded once, so that many snapshots of one project cost little more
 * than one.
 */
export class SnapshotReader {
  readonly #repository: Repository
  readonly #trees = new Map<string, Contents>()
  readonly #files = new Map<string, string>()

  constructor(repository: Repository) {
    this.#repository = repository
  }

  /** Of the folder `strip` of a snapshot. @throws when any blob cannot be had. */
  async contents(id: string, strip = 'files'): Promise<Contents> {
    const { snapshot } = await this.#repository.findSnapshot(id)
    const whole = await this.#tree(snapshot.tree)
    const inner = Object.entries(whole).filter(([path]) => path.startsWith(`${strip}/`))
    return Object.fromEntries(inner.map(([path, content]) => [path.slice(strip.length + 1), content]))
  }

  async #tree(id: string): Promise<Contents> {
    const known = this.#trees.get(id)
    if (known) return known
    const found: Record<string, string> = {}
    for (const node of decodeTree(await this.#repository.loadBlob('tree', id))) {
      const name = Buffer.from(node.name).toString()
      if (node.type === 'dir') {
        found[name] = 'dir'
        for (const [path, content] of Object.entries(await this.#tree(node.subtree!)))
          found[`${name}/${path}`] = content
      } else if (node.type === 'symlink') found[name] = `-> ${Buffer.from(node.linkTarget!).toString()}`
      else if (node.type === 'file') found[name] = await this.#file(name, node.content!)
      else found[name] = `special ${node.mode}`
    }
    this.#trees.set(id, found)
    return found
  }

  async #file(name: string, content: readonly string[]): Promise<string> {
    const key = `${name === sqliteName}${content.join()}`
    const known = this.#files.get(key)
    if (known !== undefined) return known
    const bytes = Buffer.concat(await Promise.all(content.map((id) => this.#repository.loadBlob('data', id))))
    const said = name === sqliteName ? rowsOfBytes(bytes) : hashOf(bytes)
    this.#files.set(key, said)
    return said
  }
}

/** Compares with a short message: of two projects only what differs. */
export function assertSame(actual: Contents, expected: Contents, what: string): void {
  const paths = new Set([...Object.keys(actual), ...Object.keys(expected)])
  const differing = [...paths].filter((path) => actual[path] !== expected[path]).sort()
  const lines = differing.slice(0, 10).map((path) => `${path}: ${actual[path]} is not ${expected[path]}`)
  assert.equal(differing.length, 0, `${what}: ${differing.length} differ\n${lines.join('\n')}`)
}
