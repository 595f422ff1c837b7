import { writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'

import { pause, systemClock } from '#base'
import type { Host, HostStatus } from '../host/host.ts'
import { bytesOf, type RawPath } from '../raw-path.ts'
import { removeCopy } from './copy.ts'

/** What tells the state of a database together: without `-shm`, which SQLite makes anew from the log. */
const parts = ['', '-wal', '-journal'] as const
/** How long fetching is tried again because somebody wrote meanwhile. */
const attemptsMs = 60_000
const betweenAttemptsMs = 250
/** A file that was written to less than this long ago may be written to again within one tick of its clock. */
const settledAfterMs = 1100

/**
 * Brings a database of another server here, with its log or journal, as they lay at one moment: nobody wrote to any of
 * them from before the first byte was read until after the last.
 *
 * @param to - absolute, here; the others get its name with their endings.
 * @throws when somebody kept writing, or the system's error of reading.
 */
export async function fetchDatabase(host: Host, database: RawPath, to: RawPath, signal?: AbortSignal): Promise<void> {
  const deadline = systemClock.monotonic() + attemptsMs
  for (;;) {
    removeCopy(to)
    const before = await statesOf(host, database)
    const newestMs = Math.max(...before.map((state) => Number((state?.mtimeNs ?? 0n) / 1_000_000n)))
    if (Math.abs(systemClock.now() - newestMs) < settledAfterMs) await pause(settledAfterMs, signal)
    for (const [nth, ending] of parts.entries()) {
      if (before[nth]) await fetchFile(host, database + ending, to + ending, signal)
    }
    const after = await statesOf(host, database)
    if (before.every((state, nth) => isSame(state, after[nth]))) return
    if (systemClock.monotonic() > deadline) throw new Error('somebody kept writing to it while it was fetched')
    await pause(betweenAttemptsMs, signal)
  }
}

function statesOf(host: Host, database: RawPath): Promise<(HostStatus | undefined)[]> {
  return Promise.all(parts.map((ending) => host.findStatus(database + ending)))
}

function isSame(a: HostStatus | undefined, b: HostStatus | undefined): boolean {
  return a?.inode === b?.inode && a?.size === b?.size && a?.mtimeNs === b?.mtimeNs && a?.ctimeNs === b?.ctimeNs
}

async function fetchFile(host: Host, from: RawPath, to: RawPath, signal?: AbortSignal): Promise<void> {
  writeFileSync(bytesOf(to), '', { mode: 0o600 })
  await using file = await open(bytesOf(to), 'a')
  for await (const bytes of host.read(from, signal)) await file.write(bytes)
}
