/** Where the bytes of a file in the snapshot come from, when it is not a file that can be read where it lies. */
export type Content =
  | {
      readonly kind: 'stream'
      /**
       * Begins the stream; called once. The entry is stored only when the stream ends without an error, so a program's
       * output must fail the stream when the program did not end well.
       */
      readonly open: (signal?: AbortSignal) => AsyncIterable<Uint8Array>
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }

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

/** A part of what one snapshot holds. Parts may share folders; two parts must not give the same path. */
export type Part = FolderPart | FilePart | ContentPart
