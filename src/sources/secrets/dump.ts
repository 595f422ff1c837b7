import { snapshotFolders } from '../placement.ts'
import { foldersAbove, rawPathOf, type RawPath } from '../raw-path.ts'
import { listed, type SourceType } from '../source.ts'

export interface SecretsOptions {
  /** The project's folder, absolute. */
  readonly path: string
  /** Relative to it. */
  readonly files: readonly RawPath[]
}

/** Settings, keys and certificates: in `config/`, in the folders they lie in, and not a second time in `files/`. */
export const secretsSource: SourceType<SecretsOptions> = {
  describe: ({ files }) => ({
    takes: listed(files, (file) => `${file}, into ${snapshotFolders.config}/`),
    leavesOut: [],
  }),

  async *dump({ path, files }, { host }) {
    if (files.length === 0) return
    const taken = new Set(files)
    const above = new Set(files.flatMap((file) => [...foldersAbove(file)]))
    yield host.folderPart({
      at: snapshotFolders.config,
      path: rawPathOf(path),
      leaveOut: (relative, kind) => !(kind === 'dir' ? above.has(relative) : taken.has(relative)),
    })
    const project = rawPathOf(path)
    for (const file of files) yield { kind: 'omit', path: `${project}/${file}` }
  },
}
