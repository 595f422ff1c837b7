import type { Directory } from '../filesystem/directory.ts'
import type { OpenFolders } from './open-folders.ts'
import type { PlacedBlob } from './read-trees.ts'
import type { BlobWrites, FileWrite } from './writes.ts'

/** A job before it is sent. */
export interface Prepared {
  readonly blobs: readonly BlobWrites[]
  /** Entries without bytes. */
  readonly empty: readonly number[]
  /** Folders to release when it is done. */
  readonly folders: readonly number[]
}

/** A job while it is put together. */
export class JobBuilder implements Prepared {
  readonly blobs: { place: PlacedBlob; writes: FileWrite[] }[] = []
  readonly empty: number[] = []
  readonly folders: number[] = []
  readonly #folders: OpenFolders

  constructor(folders: OpenFolders) {
    this.#folders = folders
  }

  acquire(folder: number): Directory | undefined {
    const directory = this.#folders.acquire(folder)
    if (directory) this.folders.push(folder)
    return directory
  }

  /** Writes come sorted by offset. */
  add(write: FileWrite): void {
    const last = this.blobs.at(-1)
    if (last?.place.id === write.id && last.place.offset === write.offset && last.place.length === write.length)
      last.writes.push(write)
    else this.blobs.push({ place: write, writes: [write] })
  }
}
