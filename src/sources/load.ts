import { statementsOf } from './globals-statements.ts'
import type {
  DumpFacts,
  GlobalsOptions,
  GlobalsResult,
  LoadContext,
  LoadMethod,
  LoadOptions,
  LoadResult,
  LoadTarget,
  TargetReport,
  WayBack,
} from './load-contract.ts'
import { inspectMysqlTarget } from './mysql/inspect-target.ts'
import { accountsIn, loadMysqlGlobals } from './mysql/load-globals.ts'
import { confirmMysql, loadIntoMysql, undoMysql } from './mysql/load-database.ts'
import { inspectPostgresqlTarget } from './postgresql/inspect-target.ts'
import { confirmPostgresql, loadIntoPostgresql, undoPostgresql } from './postgresql/load-database.ts'
import { loadPostgresqlGlobals, rolesIn } from './postgresql/load-globals.ts'

/**
 * Looks at a target before anything is written to it.
 *
 * @throws `source.server-unreachable` and the like; `source.client-missing`; `source.server-older` when the dump comes from a
 * newer major version.
 */
export function inspectTarget(target: LoadTarget, dump: DumpFacts, signal?: AbortSignal): Promise<TargetReport> {
  return target.kind === 'postgresql'
    ? inspectPostgresqlTarget(target, dump, signal)
    : inspectMysqlTarget(target, dump, signal)
}

/**
 * Streams a dump into a server, without a file in between, and compares the rows. The dump is data: commands of the client
 * programs in it are refused, so that it can run nothing on this machine or the host.
 *
 * When the dump breaks off or throws (its checksum is wrong), what was there before is there unchanged, except with the
 * method `over`.
 *
 * @throws `source.load-failed` with the server's words; `source.load-differs`; `source.dump-refused` for a dump that is
 * truncated or holds commands; `source.target-filled` without `replace`; `source.table-missing`.
 */
export function loadDatabase(
  target: LoadTarget,
  dump: AsyncIterable<Uint8Array>,
  options: LoadOptions,
  context: LoadContext,
  signal?: AbortSignal,
): Promise<LoadResult> {
  return target.kind === 'postgresql'
    ? loadIntoPostgresql(target, dump, options, context, signal)
    : loadIntoMysql(target, dump, options, context, signal)
}

/** Whether a load by that method is seen by nobody until `beforeSwap` has resolved, and holds nobody up. */
export function canWait(kind: LoadTarget['kind'], method: LoadMethod | undefined): boolean {
  return method === 'beside' || (kind === 'postgresql' && (method === 'create' || method === 'fill'))
}

/** Names of the roles or users that a file of globals makes; users with their host: `shop@localhost`. */
export async function namesInGlobals(
  kind: LoadTarget['kind'],
  globals: AsyncIterable<Uint8Array>,
): Promise<readonly string[]> {
  const statements = await statementsOf(globals)
  return kind === 'postgresql' ? rolesIn(statements) : accountsIn(statements)
}

/**
 * Makes roles or users with their rights, in the order of the dump. Those that are there are left as they are, and only get
 * the rights. What the server refuses is a finding, because rights of others may be none of the login's business.
 */
export function loadGlobals(
  target: LoadTarget,
  globals: AsyncIterable<Uint8Array>,
  options: GlobalsOptions,
  signal?: AbortSignal,
): Promise<GlobalsResult> {
  return target.kind === 'postgresql'
    ? loadPostgresqlGlobals(target, globals, options, signal)
    : loadMysqlGlobals(target, globals, options, signal)
}

/**
 * Brings back what was there before a load, from any state in which the load was left; can be repeated.
 *
 * @throws `source.no-way-back` when only a safety backup leads back.
 */
export function undoLoad(target: LoadTarget, wayBack: WayBack, signal?: AbortSignal): Promise<void> {
  return target.kind === 'postgresql' ? undoPostgresql(target, wayBack, signal) : undoMysql(target, wayBack, signal)
}

/** Removes what was kept for the way back. Can be repeated. */
export function confirmLoad(target: LoadTarget, wayBack: WayBack, signal?: AbortSignal): Promise<void> {
  return target.kind === 'postgresql'
    ? confirmPostgresql(target, wayBack, signal)
    : confirmMysql(target, wayBack, signal)
}
