/**
 * How data leaves the system it lives in, and comes back: files, SQLite and JSON databases, git, settings and secrets.
 *
 * A source is told what to take by plain data (`PlannedSource`) and yields parts for the engine's archive; `dumpSources`
 * joins those of one project. Sources know nothing of projects, vaults or the catalog, and nothing is left out of a
 * snapshot without a word in a description or a finding.
 */
export { dumpSources, type JoinContext } from './dump-sources.ts'
export { sourceError } from './errors.ts'
export { matchPatterns, type PathMatcher } from './files/pattern.ts'
export { inspectGit, type GitRepository } from './git/inspect.ts'
export { loadGit, type GitLoad } from './git/load.ts'
export { canWait, confirmLoad, inspectTarget, loadDatabase, loadGlobals, namesInGlobals, undoLoad } from './load.ts'
export type {
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
export { countRecords } from './json/dump.ts'
export { chooseJson, mayHoldRecords } from './json/inspect.ts'
export type { FolderRequest, Host, HostEntry, HostStatus, ProgramCall } from './host/host.ts'
export { dockerHost } from './host/docker-host.ts'
export { openSshHost } from './host/ssh-host.ts'
export { localHost } from './host/local-host.ts'
export { homeOf, placeOf } from './placement.ts'
export { bytesOf, rawPathOf, shownPath, type RawPath } from './raw-path.ts'
export type { MysqlOptions } from './mysql/dump.ts'
export type { PostgresqlOptions } from './postgresql/dump.ts'
export { maybeSecret } from './secrets/inspect.ts'
export type { ArtifactFacts, Description, DumpContext, SourceFinding, SourcePart, SourceType } from './source.ts'
export { isSqlite, mayBeSqlite } from './sqlite/inspect.ts'
export {
  databaseFile,
  parseServerUrl,
  plainAddress,
  shownAddress,
  type PlainAddress,
  type ServerAddress,
  type ServerUrl,
} from './server-address.ts'
export { readTables, type StoredTables } from './read-tables.ts'
export { shownTable, tableKey } from './postgresql/table-name.ts'
export { examineSqlite, type SqliteAnswer } from './sqlite/examine.ts'
export { removeJournals } from './sqlite/load.ts'
export { selectTables, type TableSelection } from './select-tables.ts'
export { survey, type Survey } from './survey.ts'
export type { ColumnDefinition, TableDefinition, TableReader, TableRows } from './table-rows.ts'
export { describeSource, dumpSource, type PlannedSource, type SourceKind } from './table.ts'
