/**
 * Paths as text in which each byte is one character (latin1): names in any encoding have one form, and splitting,
 * comparing and looking up work on bytes.
 */
export type RawPath = string

export function rawPathOf(path: string): RawPath {
  return Buffer.from(path).toString('latin1')
}

/** The bytes, for the calls of `node:fs`. */
export function bytesOf(path: RawPath): Buffer {
  return Buffer.from(path, 'latin1')
}

/** For people; bytes that are not UTF-8 appear as the replacement character. */
export function shownPath(path: RawPath): string {
  return bytesOf(path).toString()
}

/** `path` as seen from `folder`; undefined when it does not lie in it. */
export function relativeTo(folder: RawPath, path: RawPath): RawPath | undefined {
  const start = folder.endsWith('/') ? folder : `${folder}/`
  return path.startsWith(start) ? path.slice(start.length) : undefined
}

/** All folders above a relative path: `a/b/c` has `a` and `a/b`. */
export function* foldersAbove(path: RawPath): Generator<RawPath, void, void> {
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) yield path.slice(0, at)
}
