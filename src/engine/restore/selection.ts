import { splitPath } from '../filesystem/directory.ts'
import { quoteName } from '../format/name.ts'
import { restoreError } from './errors.ts'

/** Which entries of a snapshot are wanted, as a tree of names; `undefined` stands for everything below. */
export interface Selection {
  readonly children: Map<string, Selection | undefined>
}

/** What is wanted of a snapshot, and from which of its folders on. */
export interface Scope {
  /** Names from the top of the snapshot to the folder that becomes the target. */
  readonly strip: readonly Uint8Array[]
  /** Below that folder; undefined means everything. */
  readonly selection: Selection | undefined
}

/**
 * Reads the paths of a request. A slash at either end, or two in a row, mean nothing; `.` and `..` are names like others,
 * which no snapshot holds.
 *
 * @throws `restore.path-outside` when a path does not lie below `strip`.
 */
export function readScope(
  include: readonly (string | Uint8Array)[] | undefined,
  strip: string | Uint8Array | undefined,
): Scope {
  const folder = splitPath(bytesOf(strip ?? ''))
  if (!include || include.length === 0) return { strip: folder, selection: undefined }
  let selection: Selection | undefined = { children: new Map() }
  for (const path of include) {
    const names = splitPath(bytesOf(path))
    if (!folder.every((name, depth) => depth >= names.length || sameName(name, names[depth]!))) {
      throw restoreError('restore.path-outside', { path: showPath(names), folder: showPath(folder) })
    }
    selection = select(selection, names.slice(folder.length))
  }
  return { strip: folder, selection }
}

/** A name as the key of a selection. */
export function keyOf(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1')
}

/** For people. */
export function showPath(names: readonly Uint8Array[]): string {
  return names.map(quoteName).join('/')
}

/** Keys as a path for people. */
export function showKeys(keys: readonly string[]): string {
  return showPath(keys.map((key) => Buffer.from(key, 'latin1')))
}

/** Adds one path; a path wants everything below it, so a shorter one swallows a longer one. */
function select(selection: Selection | undefined, names: readonly Uint8Array[]): Selection | undefined {
  const [first, ...rest] = names
  if (!selection || !first) return undefined
  const key = keyOf(first)
  const known = selection.children.has(key)
  if (known && !selection.children.get(key)) return selection
  selection.children.set(key, select(selection.children.get(key) ?? { children: new Map() }, rest))
  return selection
}

function sameName(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function bytesOf(path: string | Uint8Array): Uint8Array {
  return typeof path === 'string' ? Buffer.from(path) : path
}
