import type { Secret } from '#base'
import type { Content, EntryKind, Part } from '#engine'
import type { RawPath } from '../raw-path.ts'
import type { SourceFinding } from '../finding.ts'

/** A name in a folder, and what lies there; a link is a `symlink`, whatever it leads to. */
export interface HostEntry {
  readonly name: RawPath
  readonly kind: EntryKind
}

/** What is known of a file or folder without reading it; links are not followed. */
export interface HostStatus {
  readonly kind: EntryKind
  /** Bytes. */
  readonly size: number
  readonly mtimeNs: bigint
  /** 0n where the host does not tell, as over SFTP alone; the same for `inode`. */
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly uid: number
  readonly gid: number
}

/** A program to run where the project is: an argument list, never a line for a shell. */
export interface ProgramCall {
  readonly program: string
  readonly args: readonly string[]
  /** Folder to run it in. */
  readonly cwd?: string
  /** What the program finds in its environment besides the usual (PATH, HOME …); never a secret. */
  readonly environment?: Readonly<Record<string, string>>
  /**
   * A text that the program can read as `/dev/fd/3`, as often as it opens it: a regular file of mode 0600 without a name, so
   * that a password is in no argument list, environment or folder.
   */
  readonly secretFile?: Secret
  /**
   * For its standard input; nothing by default. Pieces of a stream must stay as they are; when it throws, the program is
   * ended, and `stream` throws the same. Over there a program may still see its input end as if it were whole.
   */
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Whoever reads the output is done with a piece before the next: it may then come through one buffer. */
  readonly isPassedOn?: boolean
}

/** A folder as a part of the snapshot; the fields are those of the engine's `FolderPart`. */
export interface FolderRequest {
  readonly at: string
  /** Absolute. */
  readonly path: RawPath
  readonly leaveOut?: (path: RawPath, kind: EntryKind) => boolean
  readonly replace?: ReadonlyMap<RawPath, Content>
}

/**
 * Where a project is, as its sources see it: this machine, another one, a container. Paths are absolute there.
 *
 * Reading methods give undefined for what is not there or cannot be read: the archive meets it too, and reports it.
 */
export interface Host extends AsyncDisposable {
  readonly kind: 'local' | 'ssh' | 'docker'
  /** For people: `this machine`, `ssh://backup@web2`. */
  readonly place: string
  /** What a run should know of how the host can be read. */
  readonly findings: readonly SourceFinding[]

  /**
   * Yields what a program writes, and ends only when it ended with exit code 0 and without a signal.
   *
   * @throws `program.missing`; `program.failed` with the end of standard error; errors of the connection.
   */
  stream(call: ProgramCall, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** What a program writes, as text. @throws as `stream`. */
  run(call: ProgramCall, signal?: AbortSignal): Promise<string>

  /** The text of a small file. */
  findText(path: RawPath): Promise<string | undefined>
  /** The first `length` bytes of a file, fewer when it is shorter. */
  findHead(path: RawPath, length: number): Promise<Uint8Array | undefined>
  /** What a path leads to, links followed. */
  kindAt(path: RawPath): Promise<EntryKind | undefined>
  findStatus(path: RawPath): Promise<HostStatus | undefined>
  /** What lies in a folder, in any order. @throws the system's error (`ENOENT` …). */
  list(folder: RawPath): Promise<readonly HostEntry[]>
  /** The bytes of a file as they lie. @throws the system's error. */
  read(path: RawPath, signal?: AbortSignal): AsyncIterable<Uint8Array>

  folderPart(folder: FolderRequest): Part
  filePart(at: string, path: RawPath): Part
}
