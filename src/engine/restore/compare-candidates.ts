import { mapInOrder } from '#base'
import type { Directory } from '../filesystem/directory.ts'
import type { BlobLocation } from '../repository/blob-index.ts'
import { plainLengthOf } from '../repository/open-blob.ts'
import type { Crew } from './crew.ts'
import type { CompareJob, FileIdentity } from './job.ts'
import { entryAction, type Layout } from './layout.ts'
import { RecordWriter } from './node-record.ts'
import type { OpenFolders } from './open-folders.ts'

/** Files that one job compares. */
const filesOfComparison = 64

/** A file that is there with the right size. */
export interface Candidate {
  readonly entry: number
  readonly places: readonly BlobLocation[]
}

/** Compares files that have the size of theirs with the snapshot, byte by byte; those that differ are written. */
export class CandidateComparison {
  readonly #layout: Layout
  readonly #crew: Crew
  readonly #write: (entry: number, places: readonly BlobLocation[]) => void
  readonly #sharedInodes = new Set<bigint>()
  #folders: OpenFolders | undefined

  /** @param write - plans the writes of a file that differs. */
  constructor(layout: Layout, crew: Crew, write: (entry: number, places: readonly BlobLocation[]) => void) {
    this.#layout = layout
    this.#crew = crew
    this.#write = write
  }

  /** Decides for each file that has the right size whether it has the right content. */
  async compare(
    folders: readonly (readonly Candidate[])[],
    open: OpenFolders | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    this.#folders = open
    const batches = folders.flatMap((files) =>
      Array.from({ length: Math.ceil(files.length / filesOfComparison) }, (_, number) =>
        files.slice(number * filesOfComparison, (number + 1) * filesOfComparison),
      ),
    )
    if (batches.length > 1) this.#crew.hire()
    const compare = async (files: readonly Candidate[]): Promise<void> => {
      signal?.throwIfAborted()
      const folder = this.#layout.entries.get(files[0]!.entry, 'folder')
      const directory = this.#folders?.acquire(folder)
      if (!directory) return this.#takeOver(files, [])
      try {
        const { equal } = await this.#crew.run(this.#comparison(directory, files))
        this.#takeOver(files, equal)
      } finally {
        this.#folders!.release(folder)
      }
    }
    for await (const _ of mapInOrder(batches, compare, this.#crew.jobsAhead)) {
      // because the results were taken over, and only the end is waited for
    }
  }

  #comparison(directory: Directory, files: readonly Candidate[]): CompareJob {
    const writer = new RecordWriter()
    const { entries, pieces } = this.#layout
    for (const { entry } of files) writer.copy(pieces[entries.get(entry, 'piece')]!, entries.get(entry, 'at'))
    const lengths = Uint32Array.from(files.flatMap(({ places }) => places.map(plainLengthOf)))
    return { kind: 'compare', folder: directory.fd, records: writer.take(), lengths }
  }

  #takeOver(files: readonly Candidate[], equal: readonly (FileIdentity | undefined)[]): void {
    for (const [number, { entry, places }] of files.entries()) {
      const identity = equal[number]
      if (identity && this.#isOwnFile(identity)) {
        this.#layout.entries.set(entry, 'action', entryAction.unchanged)
        this.#layout.identities.set(entry, identity)
      } else {
        this.#write(entry, places)
      }
    }
  }

  /** Two files of the snapshot cannot both stay what is one file here. */
  #isOwnFile({ inode, links }: FileIdentity): boolean {
    if (links === 1) return true
    if (this.#sharedInodes.has(inode)) return false
    this.#sharedInodes.add(inode)
    return true
  }
}
