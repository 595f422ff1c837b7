import type { SourceFinding } from '../source.ts'
import type { Client } from './client.ts'
import type { DumpSummary } from './count-inserts.ts'
import { hasHistory } from './dump-call.ts'
import type { Inspection } from './inspect.ts'

/** What a person must know of a dump that is whole. */
export function findingsOf(
  database: string,
  { server, tables }: Inspection,
  dumper: Client,
  summary: DumpSummary,
): SourceFinding[] {
  const found: SourceFinding[] = []
  const report = (severity: SourceFinding['severity'], text: string): void =>
    void found.push({ subject: `database ${database}`, severity, text })
  const changing = tables.filter(({ isTransactional, isRemote }) => !isTransactional && !isRemote)
  if (changing.length > 0) {
    report(
      'warning',
      `${listOf(changing)} cannot be read as of one moment (engine ${changing[0]!.engine}): rows written during the dump may be in it by half`,
    )
  }
  const remote = tables.filter(({ isRemote }) => isRemote)
  if (remote.length > 0)
    report('notice', `of ${listOf(remote)} only the definition is in the dump: the rows lie elsewhere`)
  if (tables.some(({ isVersioned }) => isVersioned) && !hasHistory(dumper, server)) {
    report(
      'warning',
      'the history of system-versioned tables is not in the dump: it needs MariaDB 10.11, server and client',
    )
  }
  if (dumper.flavour !== server.flavour) {
    report(
      'notice',
      `it was dumped with the program of MariaDB (${dumper.version}), which knows MySQL ${server.version} by half`,
    )
  }
  if (summary.longestStatementBytes > server.maxAllowedPacketBytes) {
    report(
      'warning',
      `a row needs a statement of ${summary.longestStatementBytes} bytes: load it with max_allowed_packet above that on server and client`,
    )
  }
  if (summary.changesDatabase) {
    report(
      'notice',
      'routines of it were made under another character set, so that the dump names the database: load it under its own name',
    )
  }
  return found
}

function listOf(tables: readonly { readonly name: string }[]): string {
  const names = tables.slice(0, 5).map(({ name }) => name)
  const more = tables.length > names.length ? ` and ${tables.length - names.length} more` : ''
  return `${tables.length === 1 ? 'table' : 'tables'} ${names.join(', ')}${more}`
}

/** What the manifest says of a dump. */
export function factsOf(
  { server, ...inspection }: Inspection,
  dumper: Client,
  summary: DumpSummary,
): Record<string, string | number> {
  return {
    server: server.flavour === 'mariadb' ? 'MariaDB' : 'MySQL',
    serverVersion: server.version,
    client: dumper.program,
    clientVersion: dumper.version,
    charset: server.charset,
    collation: server.collation,
    tables: summary.defined.size,
    views: summary.views.size,
    sequences: summary.sequences.size,
    triggers: inspection.triggers,
    events: inspection.events,
    routines: inspection.routines,
    longestStatementBytes: summary.longestStatementBytes,
  }
}
