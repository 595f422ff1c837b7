/** What lies under a name: `dev` is a block device, `chardev` a character device. */
export type EntryType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket'

/** What is known of an entry elsewhere, shaped like the engine's `RemoteEntry`. */
export interface EntryFacts {
  readonly type: EntryType
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Empty where the name is not known. */
  readonly user: string
  readonly group: string
  /** Nanoseconds since 1970, as all times here. */
  readonly mtimeNs: bigint
  readonly atimeNs: bigint
  /** 0 where it is not known, as `inode` and `deviceId`. */
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly deviceId: bigint
  /** 1 where it is not known. */
  readonly links: number
  /** Bytes. */
  readonly size: number
  /** Of a symbolic link. */
  readonly linkTarget?: Uint8Array
  /** The device that the entry stands for; 0 when it stands for none, or is not known. */
  readonly device: bigint
}

export interface Entry extends EntryFacts {
  readonly name: Uint8Array
}

/** An absolute path, each byte one character (latin1). */
export type Path = string

export function joinPath(folder: Path, name: string): Path {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}

/** `/srv/app/` and `/srv/app` are one folder. */
export function trimPath(path: Path): Path {
  return path.replace(/\/+$/, '') || '/'
}

/** An error of one entry, as the system's own calls throw it. */
export function entryError(code: string, syscall: string, text: string): Error {
  return Object.assign(new Error(text), { code, syscall })
}

/** Whether nothing but an entry of a folder can have this name. */
export function isEntryName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0')
}
