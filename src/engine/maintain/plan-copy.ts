import type { Repository } from '../repository/repository.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import { chooseSnapshots } from './choose-snapshots.ts'
import { Findings, type Finding } from './finding.ts'
import { MissingBlobs } from './find-missing.ts'

/** What a copy would do. */
export interface CopyPlan {
  /** Snapshots of the source that the target does not have, oldest first. */
  readonly snapshots: readonly StoredSnapshot[]
  /** How many of them it has. */
  readonly present: number
  readonly blobs: number
  /** Sealed bytes of these blobs, as they lie in the source. */
  readonly bytes: number
  readonly findings: readonly Finding[]
}

/**
 * Tells what copying all snapshots would send. Writes nothing, and takes no lock: what somebody removes meanwhile is
 * reported as a finding.
 *
 * @param without - full hex ids of those that are not copied.
 * @throws `repository.file-damaged` for an index file; what the backends throw.
 */
export async function planCopy(
  from: Repository,
  to: Repository,
  without: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<CopyPlan> {
  const findings = new Findings()
  const { wanted, present } = await chooseSnapshots(from, to, { asked: 'all', without }, findings, signal)
  const missing = new MissingBlobs(from, to)
  if (wanted.length > 0) {
    await from.loadReadableIndex(signal)
    await to.loadReadableIndex(signal)
  }
  for (const { snapshot } of wanted) await missing.addTree(snapshot.tree, signal)
  for (const { type, id, reason } of missing.gaps) findings.add('damage', `${type} blob ${id.slice(0, 10)}`, reason)
  const { count, bytes } = missing.wanted
  return { snapshots: wanted, present: present.size, blobs: count, bytes, findings: findings.list() }
}
