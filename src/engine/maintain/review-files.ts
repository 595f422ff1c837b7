import { AppError, formatSeconds, mapInOrder } from '#base'
import type { FileStat } from '../backend/backend.ts'
import { describeFile } from '../backend/file-ref.ts'
import { loadAll } from '../backend/load-all.ts'
import { isIrreducible } from '../chunker/polynomial.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { Sealer } from '../crypto/seal.ts'
import { decodeConfig } from '../format/config.ts'
import { decodeKeyFile } from '../format/key.ts'
import { decodeLock } from '../format/lock.ts'
import { decodeSnapshot } from '../format/snapshot.ts'
import { parseTime } from '../format/time.ts'
import { lockTimings } from '../repository/lock.ts'
import type { Repository } from '../repository/repository.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import type { Findings } from './finding.ts'

/**
 * Looks at the locks that are there before our own one: empty ones, and those that nobody holds any more. What cannot be
 * read is left to the taking of the lock, which it stops.
 */
export async function reviewLocks(repository: Repository, findings: Findings, signal?: AbortSignal): Promise<void> {
  for await (const file of repository.backend.list('lock', signal)) {
    const subject = describeFile(file)
    if (file.size === 0) {
      findings.add('notice', subject, 'is empty and locks nothing: its writer was interrupted')
      continue
    }
    try {
      const lock = decodeLock(await repository.loadUnpacked('lock', file.name, signal))
      const ageMs = repository.clock.now() - Number(parseTime(lock.time) / 1_000_000n)
      if (ageMs < lockTimings.staleMs) continue
      const age = formatSeconds(ageMs / 1000)
      findings.add(
        'notice',
        subject,
        `was left by process ${lock.pid} on ${lock.hostname} ${age} ago and counts no longer`,
      )
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown // because taking the lock will say what is wrong with this one
    }
  }
}

/** Reads the config as it is in its place by now: it was read before, when the repository was opened. */
export async function reviewConfig(repository: Repository, findings: Findings, signal?: AbortSignal): Promise<void> {
  const ref = { type: 'config', name: '' } as const
  const subject = describeFile(ref)
  try {
    const sealed = await loadAll(repository.backend, ref, undefined, signal)
    const config = decodeConfig(new Sealer(repository.key).unseal(sealed))
    if (config.id !== repository.config.id) findings.add('damage', subject, 'is that of another repository')
    if (!isIrreducible(config.chunkerPolynomial)) {
      findings.add('damage', subject, 'has a chunker polynomial that is not irreducible, so no program opens it')
    }
  } catch (thrown) {
    findings.take(subject, thrown, signal)
  }
}

/** Reads every key file. What opens the repository was proven when it was opened. */
export async function reviewKeys(repository: Repository, findings: Findings, signal?: AbortSignal): Promise<void> {
  const review = async (file: FileStat): Promise<void> => {
    const subject = describeFile(file)
    try {
      const bytes = await loadAll(repository.backend, file, undefined, signal)
      if (sha256Hex(bytes) === file.name) decodeKeyFile(bytes)
      else findings.add('damage', subject, 'is damaged: its bytes do not hash to its name')
    } catch (thrown) {
      findings.take(subject, thrown, signal)
    }
  }
  const { backend } = repository
  for await (const _ of mapInOrder(backend.list('key', signal), review, backend.connections));
}

/** Reads every snapshot file: those that are snapshots, newest first, and the hex ids of the others. */
export async function reviewSnapshots(
  repository: Repository,
  findings: Findings,
  signal?: AbortSignal,
): Promise<{ readonly snapshots: readonly StoredSnapshot[]; readonly damaged: readonly string[] }> {
  const snapshots: StoredSnapshot[] = []
  const damaged: string[] = []
  const review = async (file: FileStat): Promise<void> => {
    const { name: id } = file
    try {
      snapshots.push({ id, snapshot: decodeSnapshot(await repository.loadUnpacked('snapshot', id, signal)) })
    } catch (thrown) {
      findings.take(describeFile(file), thrown, signal)
      damaged.push(id)
    }
  }
  const { backend } = repository
  for await (const _ of mapInOrder(backend.list('snapshot', signal), review, backend.connections));
  const times = new Map(snapshots.map(({ id, snapshot }) => [id, parseTime(snapshot.time)]))
  snapshots.sort((a, b) => Number(times.get(b.id)! - times.get(a.id)!) || a.id.localeCompare(b.id))
  return { snapshots, damaged: damaged.sort() }
}
