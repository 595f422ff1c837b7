import { sourceError } from '../errors.ts'
import type { Host, ProgramCall } from '../host/host.ts'
import { dumpFault, type Target } from './connection.ts'
import { DumpFault, type DumpWatcher } from './watcher.ts'

/** The output of a program that dumps, every byte of it looked at. @throws {@link DumpFault}; as the host. */
export async function* watched(
  host: Host,
  call: ProgramCall,
  watcher: DumpWatcher,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const bytes of host.stream(call, signal)) {
    watcher.push(bytes)
    yield bytes
  }
  watcher.end()
}

/** What it means when a dump failed, or is not whole. @returns as {@link dumpFault}. */
export function explain(thrown: unknown, target: Target): unknown {
  if (!(thrown instanceof DumpFault)) return dumpFault(thrown, target)
  return sourceError('source.dump-incomplete', { database: target.database, reason: thrown.message }, thrown)
}
