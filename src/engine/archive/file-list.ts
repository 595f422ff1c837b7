/** A file that a sealing thread is to read: an open directory, a name in it, and what it looked like when it was listed. */
export interface ListedFile {
  /** `Directory.pathOf(name)`: a path by way of the open directory. */
  readonly path: Uint8Array
  /** Bytes. */
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
}

const fixed = 4 + 8 * 4

/**
 * Files as bytes, because structured cloning of many small objects costs more than reading the files.
 *
 * Layout, each file: path length uint32, size float64, mtime, ctime int64, inode uint64 (all LE), path.
 */
export function encodeFileList(files: readonly ListedFile[]): Uint8Array<ArrayBuffer> {
  const length = files.reduce((sum, file) => sum + fixed + file.path.length, 0)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const file of files) {
    view.setUint32(at, file.path.length, true)
    view.setFloat64(at + 4, file.size, true)
    view.setBigInt64(at + 12, file.mtimeNs, true)
    view.setBigInt64(at + 20, file.ctimeNs, true)
    view.setBigUint64(at + 28, file.inode, true)
    bytes.set(file.path, at + fixed)
    at += fixed + file.path.length
  }
  return bytes
}

export function decodeFileList(bytes: Uint8Array<ArrayBuffer>): ListedFile[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const files: ListedFile[] = []
  for (let at = 0; at < bytes.length;) {
    const pathLength = view.getUint32(at, true)
    files.push({
      path: Buffer.from(bytes.buffer, bytes.byteOffset + at + fixed, pathLength),
      size: view.getFloat64(at + 4, true),
      mtimeNs: view.getBigInt64(at + 12, true),
      ctimeNs: view.getBigInt64(at + 20, true),
      inode: view.getBigUint64(at + 28, true),
    })
    at += fixed + pathLength
  }
  return files
}
