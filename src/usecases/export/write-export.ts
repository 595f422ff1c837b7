import { RunningHash, type TarEntry, type TarHeader, type TreeEntry } from '#engine'
import type { Artifact } from '#model'
import { usecaseError } from '../errors.ts'
import { fileOf, tableDocuments } from './table-documents.ts'
import { writeTables, type DatabaseTables, type TableScene } from './table-files.ts'

/** All that goes into an export, known before the first byte of it. */
export interface ExportContent {
  readonly scene: TableScene
  /** The folder in the archive, without a slash. */
  readonly folder: string
  readonly snapshot: string
  /** Milliseconds since 1970: the time of what was made for the export. */
  readonly madeAt: number
  /** By name: RESTORE.md, manifest.json. */
  readonly documents: Readonly<Record<string, string>>
  readonly databases: readonly DatabaseTables[]
  /** Of the snapshot's own manifest. */
  readonly artifacts: readonly Artifact[]
  /** Paths in the snapshot; everything when it is absent. */
  readonly include?: readonly string[]
}

export interface ExportProgress {
  readonly onBytes: (bytes: number) => void
  readonly onLeftOut: (path: string) => void
}

/**
 * The entries of an export in their order: what explains it, tables, the snapshot, and the checksums of all of it.
 *
 * Memory: about 150 bytes for each file.
 *
 * @throws `export.differs` when a dump is not what its manifest says; what keeps the snapshot from being read.
 */
export async function* exportEntries(
  content: ExportContent,
  progress: ExportProgress,
  signal: AbortSignal,
): AsyncGenerator<TarEntry, void, void> {
  const { scene, folder, documents, databases } = content
  const sums = new Checksums()
  yield { header: ownHeader(content, 'dir', folder, 0) }
  for (const [name, text] of Object.entries(documents)) yield* ownFile(content, sums, name, Buffer.from(text))
  for (const database of databases) {
    const place = database.folder
    for (const [name, text] of Object.entries(tableDocuments(database)))
      yield* ownFile(content, sums, `${place}/${name}`, Buffer.from(text))
    for await (const { table, content: lines } of writeTables(scene, database, signal)) {
      const path = `${place}/${fileOf(table.file)}`
      const check = (sha256: string): void => {
        if (sha256 !== table.sha256) throw new Error(`${path} is not the same when it is read twice`)
        sums.add(Buffer.from(path), sha256)
      }
      yield { header: ownHeader(content, 'file', `${folder}/${path}`, table.bytes), content: hashed(lines, check) }
    }
  }
  yield* snapshotEntries(content, sums, progress, signal)
  yield* ownFile(content, undefined, 'SHA256SUMS', sums.encode())
}

async function* snapshotEntries(
  { scene, folder, snapshot, artifacts, include }: ExportContent,
  sums: Checksums,
  { onBytes, onLeftOut }: ExportProgress,
  signal: AbortSignal,
): AsyncGenerator<TarEntry, void, void> {
  const { tools, repository, tree } = scene
  const inArchive = 'snapshot/'
  const expected = new Map(artifacts.map(({ path, sha256 }) => [path, sha256]))
  /** Of files with several names; by path in the archive. */
  const shared = new Map<string, string>()
  const request = { tree, prefix: `${folder}/${inArchive}`, onLeftOut, ...(include && { include }) }
  for await (const entry of tools.readTree(repository, request, signal)) {
    const { header, inTree, isShared, content } = entry
    const path = Buffer.concat([Buffer.from(inArchive), inTree])
    const raw = header.path.toString('latin1')
    if (header.kind === 'link') sums.add(path, shared.get(Buffer.from(header.target!).toString('latin1'))!)
    if (!content) {
      yield entry
      continue
    }
    const check = (sha256: string): void => {
      const wanted = expected.get(inTree.toString('latin1'))
      if (wanted !== undefined && wanted !== sha256) {
        throw usecaseError('export.differs', { path: inTree.toString(), snapshot: snapshot.slice(0, 8) })
      }
      if (isShared) shared.set(raw, sha256)
      sums.add(path, sha256)
    }
    yield { ...entry, content: hashed(content, check, onBytes) } satisfies TreeEntry
  }
}

async function* hashed(
  content: NonNullable<TarEntry['content']>,
  onEnd: (sha256: string) => void,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = new RunningHash()
  for await (const piece of content) {
    hash.add(piece)
    onBytes?.(piece.length)
    yield piece
  }
  onEnd(hash.finish())
}

function* ownFile(
  content: ExportContent,
  sums: Checksums | undefined,
  path: string,
  bytes: Buffer,
): Generator<TarEntry, void, void> {
  if (sums) {
    const hash = new RunningHash()
    hash.add(bytes)
    sums.add(Buffer.from(path), hash.finish())
  }
  yield { header: ownHeader(content, 'file', `${content.folder}/${path}`, bytes.length), content: [bytes] }
}

function ownHeader({ madeAt }: ExportContent, kind: 'file' | 'dir', path: string, size: number): TarHeader {
  return {
    kind,
    path: Buffer.from(path),
    size,
    // The folder lets nobody else in, because what is in it may be open to all where it came from.
    mode: kind === 'dir' ? 0o700 : 0o600,
    uid: 0,
    gid: 0,
    user: '',
    group: '',
    mtimeNs: BigInt(Math.floor(madeAt / 1000)) * 1_000_000_000n,
  }
}

/** The lines of SHA256SUMS. Paths are bytes; odd ones are written as `sha256sum` reads them. */
class Checksums {
  /** Each byte one character. */
  readonly #lines: string[] = []

  add(path: Buffer, sha256: string): void {
    const raw = path.toString('latin1')
    const escaped = raw.replace(/[\\\n\r]/g, (char) => ({ '\\': '\\\\', '\n': '\\n' })[char] ?? '\\r')
    this.#lines.push(`${escaped === raw ? '' : '\\'}${sha256}  ${escaped}\n`)
  }

  encode(): Buffer {
    return Buffer.concat(this.#lines.map((line) => Buffer.from(line, 'latin1')))
  }
}
