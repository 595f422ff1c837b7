/** A file whose bytes come as they are made: a dump, a bundle. */
export interface StreamContent {
  readonly kind: 'stream'
  /**
   * Begins the stream; called once for each attempt. A piece need hold only until the next is asked for. The entry is
   * stored only when the stream ends without an error, so a program's output must fail the stream when the program did not
   * end well.
   */
  readonly open: (signal?: AbortSignal) => AsyncIterable<Uint8Array>
  /**
   * What a stream that failed means, when it is not tried again. `report` (default): the entry is left out, with a
   * finding. `abort`: nothing is stored without it; `archive` throws what the stream threw.
   */
  readonly onFailure?: 'report' | 'abort'
  /**
   * Asked after each failure, `attempt` counting from 1; true opens the stream again, and nothing of what it gave before
   * is in the file. What this throws is what the stream failed with.
   */
  readonly retry?: (thrown: unknown, attempt: number) => Promise<boolean>
  /** How finely it is cut: `file` (default) as restic does; `dump` finer, so that few changed rows store little. */
  readonly cut?: 'file' | 'dump'
}

/** Where the bytes of a file in the snapshot come from, when it is not a file that can be read where it lies. */
export type Content = StreamContent | { readonly kind: 'bytes'; readonly bytes: Uint8Array }

/** What kind of thing lies under a name, as far as leaving it out is concerned. */
export type EntryKind = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket'

/** A whole folder on disk: everything in it, and its own metadata on the folder `at` in the snapshot. */
export interface FolderPart {
  readonly kind: 'folder'
  /** Where it lies in the snapshot: components separated by `/`, no leading one; `''` makes it the snapshot's root. */
  readonly at: string
  /** On disk; links in it are followed. */
  readonly path: string | Uint8Array
  /**
   * True when this entry, and all below it, stays out. `path` is relative to the folder, components separated by `/`,
   * each byte of a name one character (latin1), so that names in any encoding have one form.
   */
  readonly leaveOut?: (path: string, kind: EntryKind) => boolean
  /** Files, by the same form of path, whose metadata is the file's on disk and whose bytes come from elsewhere. */
  readonly replace?: ReadonlyMap<string, Content>
}

/** One thing on disk with its metadata, whatever folder it lies in: a file, a link. */
export interface FilePart {
  readonly kind: 'file'
  readonly at: string
  /** Absolute. */
  readonly path: string | Uint8Array
}

/** A file that does not lie on disk: a dump, a bundle, instructions. */
export interface ContentPart {
  readonly kind: 'content'
  readonly at: string
  readonly content: Content
  /** Nanoseconds since 1970. Default: the snapshot's time. */
  readonly mtimeNs?: bigint
  /** Permission bits. Default: 0600. */
  readonly mode?: number
}

/** A whole folder that lies elsewhere; everything means what it means for a {@link FolderPart}. */
export interface RemoteFolderPart {
  readonly kind: 'remote-folder'
  readonly at: string
  readonly reader: FolderReader
  /** Absolute there, each byte one character (latin1). */
  readonly path: string
  readonly leaveOut?: (path: string, kind: EntryKind) => boolean
  readonly replace?: ReadonlyMap<string, Content>
}

/** One thing that lies elsewhere, with its metadata. */
export interface RemoteFilePart {
  readonly kind: 'remote-file'
  readonly at: string
  readonly reader: FolderReader
  /** Absolute there, each byte one character (latin1). */
  readonly path: string
}

/** Lists and reads what lies elsewhere; paths are absolute there, each byte one character (latin1). */
export interface FolderReader {
  /** Of each entry itself, links not followed; what the system refuses is an Error with its code. */
  status(paths: readonly string[]): Promise<readonly (RemoteStatus | Error)[]>
  /** In any order, without `.` and `..`; links in the path are followed. @throws an Error with the system's code. */
  list(path: string): Promise<readonly RemoteEntry[]>
  /**
   * The bytes of a file; several may be read at once. @throws an Error with the system's code.
   *
   * @param expected - bytes, when they are known: then no more are read.
   */
  open(path: string, expected: number | undefined, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Files that may be read at once. */
  readonly parallel: number
  /** How far the clock there is ahead of ours. */
  readonly clockAheadNs: bigint
  /** What could not be listed although no `list` threw, in words for people, since this was last asked. */
  takeProblems(): readonly string[]
}

export interface RemoteEntry extends RemoteStatus {
  readonly name: Uint8Array
}

/** What is known of an entry elsewhere. Where `ctimeNs` is 0, size and mtime alone tell whether a file has changed. */
export interface RemoteStatus {
  readonly type: EntryKind
  /** Permission bits with setuid, setgid and sticky: `st_mode & 0o7777`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Empty where the name is not known. */
  readonly user: string
  readonly group: string
  readonly mtimeNs: bigint
  readonly atimeNs: bigint
  /** 0 where it is not known, as `inode` and `deviceId`. */
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly deviceId: bigint
  /** 1 where it is not known. */
  readonly links: number
  /** Bytes, of files. */
  readonly size: number
  /** Raw bytes; symbolic links only. */
  readonly linkTarget?: Uint8Array
  /** The device that the entry stands for; 0 when it stands for none. */
  readonly device: bigint
}

/** A part of what one snapshot holds. Parts may share folders; two parts must not give the same path. */
export type Part = FolderPart | FilePart | ContentPart | RemoteFolderPart | RemoteFilePart
