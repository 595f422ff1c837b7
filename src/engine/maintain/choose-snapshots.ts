import { describeFile } from '../backend/file-ref.ts'
import type { Snapshot } from '../format/snapshot.ts'
import { parseTime } from '../format/time.ts'
import type { Repository } from '../repository/repository.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import type { Findings } from './finding.ts'

/** What a copy is about. */
export interface CopyChoice {
  /** Those that the target does not have, oldest first. */
  readonly wanted: readonly StoredSnapshot[]
  /** Hex ids of those that the target has: in the source, and there. */
  readonly present: ReadonlyMap<string, string>
  /** Hex ids of those that cannot even be read. */
  readonly damaged: readonly string[]
}

export interface AskedSnapshots {
  /** Ids or beginnings of ids, `latest`, or all of them. */
  readonly asked: readonly string[] | 'all'
  /** Full hex ids of those that are left alone. */
  readonly without?: ReadonlySet<string>
}

/**
 * Tells which snapshots the target of a copy does not have.
 *
 * @throws `repository.snapshot-missing`, `repository.snapshot-ambiguous`.
 */
export async function chooseSnapshots(
  from: Repository,
  to: Repository,
  { asked, without }: AskedSnapshots,
  findings: Findings,
  signal?: AbortSignal,
): Promise<CopyChoice> {
  compareConfigs(from, to, findings)
  const { chosen, damaged } = await choose(from, asked, findings, signal)
  const present = await findPresent(to, chosen, signal)
  const wanted = chosen.filter(({ id }) => !present.has(id) && !without?.has(id))
  return { wanted, present, damaged }
}

function compareConfigs(from: Repository, to: Repository, findings: Findings): void {
  if (from.config.chunkerPolynomial === to.config.chunkerPolynomial) return
  const text =
    'cuts files in another way than the source: copies work, but what is backed up into both is stored there twice'
  findings.add('warning', to.backend.place, text)
}

/** Oldest first, and the ids of those that cannot even be read. */
async function choose(
  from: Repository,
  asked: readonly string[] | 'all',
  findings: Findings,
  signal?: AbortSignal,
): Promise<{ chosen: StoredSnapshot[]; damaged: string[] }> {
  if (asked === 'all') {
    const { snapshots, damaged } = await from.listSnapshots(signal)
    for (const { id, error } of damaged) findings.take(describeFile({ type: 'snapshot', name: id }), error, signal)
    return { chosen: [...snapshots], damaged: damaged.map(({ id }) => id) }
  }
  const chosen = new Map<string, StoredSnapshot>()
  for (const name of asked) {
    const found = await from.findSnapshot(name, signal)
    chosen.set(found.id, found)
  }
  const age = ({ snapshot }: StoredSnapshot): number => -Number(parseTime(snapshot.time))
  return { chosen: [...chosen.values()].sort((a, b) => age(b) - age(a)), damaged: [] }
}

async function findPresent(
  to: Repository,
  chosen: readonly StoredSnapshot[],
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const { snapshots } = await to.listSnapshots(signal)
  const there = Map.groupBy(snapshots, ({ id, snapshot }) => snapshot.original ?? id)
  const present = new Map<string, string>()
  for (const { id, snapshot } of chosen) {
    const twin = there.get(snapshot.original ?? id)?.find((other) => isSameBackup(snapshot, other.snapshot))
    if (twin) present.set(id, twin.id)
  }
  return present
}

/** Equal in all that restic compares: everything but `parent`, `original` and what a run says of itself. */
function isSameBackup(a: Snapshot, b: Snapshot): boolean {
  const listsAreSame = (one: readonly string[] = [], other: readonly string[] = []): boolean =>
    one.length === other.length && one.every((text, nth) => text === other[nth])
  return (
    parseTime(a.time) === parseTime(b.time) &&
    a.tree === b.tree &&
    a.hostname === b.hostname &&
    a.username === b.username &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    listsAreSame(a.paths, b.paths) &&
    listsAreSame(a.excludes, b.excludes) &&
    listsAreSame(a.tags, b.tags)
  )
}
