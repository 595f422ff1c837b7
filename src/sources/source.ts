import type { Content, Part } from '#engine'
import type { SourceFinding } from './finding.ts'
import type { Host } from './host/host.ts'
import { shownPath, type RawPath } from './raw-path.ts'

export type { SourceFinding } from './finding.ts'

/** What is known of one thing that was dumped, for the manifest. */
export interface ArtifactFacts {
  /** Its path in the snapshot, each byte of a name one character (latin1). */
  readonly path: string
  readonly kind: 'sqlite' | 'json' | 'git' | 'postgresql' | 'mysql' | 'globals'
  /** By table, or by list of a JSON database. */
  readonly rows?: Readonly<Record<string, number>>
  /** Versions, counts, the way it was copied. */
  readonly facts: Readonly<Record<string, string | number>>
}

/** What a source needs of the run that dumps it. */
export interface DumpContext {
  /** Where the project is; every path of a source is a path there. */
  readonly host: Host
  /** Where copies may lie for a moment: a folder of this run alone, mode 0700. The caller removes it in the end. */
  readonly temporaryFolder: string
  /** Called at any time until the last part has been archived. */
  report(finding: SourceFinding): void
  /** Called at any time until the last part has been archived: what a stream holds is known when it is read. */
  record(artifact: ArtifactFacts): void
}

/** A file on disk whose bytes shall come from elsewhere, in whatever folder it is archived. */
export interface Replacement {
  readonly kind: 'replace'
  /** Absolute, each byte one character (latin1). */
  readonly path: string
  readonly content: Content
}

/** Something on disk that no folder shall hold, because the same source gives it in another form. */
export interface Omission {
  readonly kind: 'omit'
  /** Absolute, each byte one character (latin1). */
  readonly path: string
  /** Asked when the archive comes to it: true when the other form could not be had, so that it is held after all. */
  readonly unless?: () => boolean
}

/** What a source yields: parts of the snapshot, or changes to the folders of other sources. */
export type SourcePart = Part | Replacement | Omission

/** A source in words, for `run --dry-run` and `config`. */
export interface Description {
  readonly takes: readonly string[]
  /** Everything that a rule keeps out of the snapshot. */
  readonly leavesOut: readonly string[]
}

/**
 * One way in which data leaves a system. `Options` say what to take; they are plain data, made by a strategy.
 *
 * Every implementation passes `sourceSuite` (#sources/testing).
 */
export interface SourceType<Options> {
  describe(options: Options): Description

  /**
   * Yields what the source takes. Streams are opened later, when the engine comes to them, and what they need is made
   * then and removed when they end.
   *
   * What cannot be read as it should is reported as a finding, and taken as well as can be.
   */
  dump(options: Options, context: DumpContext, signal?: AbortSignal): AsyncIterable<SourcePart>
}

/** Files that are named one by one in a description; beyond it, how many more there are. */
const longestList = 25

/** One line for each file. */
export function listed(paths: readonly RawPath[], line: (path: string) => string): string[] {
  const lines = paths.slice(0, longestList).map((path) => line(shownPath(path)))
  const more = paths.length - lines.length
  return more > 0 ? [...lines, line(`… and ${more} more`)] : lines
}
