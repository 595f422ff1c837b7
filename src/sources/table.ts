import { filesSource, type FilesOptions } from './files/dump.ts'
import { gitSource, type GitOptions } from './git/dump.ts'
import { jsonSource, type JsonOptions } from './json/dump.ts'
import { secretsSource, type SecretsOptions } from './secrets/dump.ts'
import { mysqlSource, type MysqlOptions } from './mysql/dump.ts'
import { postgresqlSource, type PostgresqlOptions } from './postgresql/dump.ts'
import type { Description, DumpContext, SourcePart, SourceType } from './source.ts'
import { sqliteSource, type SqliteOptions } from './sqlite/dump.ts'

/** What each kind of source is told. Another source is a folder of its own, and one line here and below. */
interface OptionsByKind {
  files: FilesOptions
  sqlite: SqliteOptions
  json: JsonOptions
  postgresql: PostgresqlOptions
  mysql: MysqlOptions
  git: GitOptions
  secrets: SecretsOptions
}

const types: { readonly [Kind in keyof OptionsByKind]: SourceType<OptionsByKind[Kind]> } = {
  files: filesSource,
  sqlite: sqliteSource,
  json: jsonSource,
  postgresql: postgresqlSource,
  mysql: mysqlSource,
  git: gitSource,
  secrets: secretsSource,
}

export type SourceKind = keyof OptionsByKind

/** A source that is to be dumped, as plain data. */
export type PlannedSource = {
  [Kind in SourceKind]: { readonly kind: Kind; readonly options: OptionsByKind[Kind] }
}[SourceKind]

export function describeSource(source: PlannedSource): Description {
  return typeOf(source).describe(source.options)
}

export function dumpSource(
  source: PlannedSource,
  context: DumpContext,
  signal?: AbortSignal,
): AsyncIterable<SourcePart> {
  return typeOf(source).dump(source.options, context, signal)
}

/** The table's line is the one for the options, which the compiler cannot see through the union. */
function typeOf(source: PlannedSource): SourceType<PlannedSource['options']> {
  return types[source.kind]
}
