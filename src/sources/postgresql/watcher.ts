import { tableKey, type TableKey } from './table-name.ts'

/** Looks at every byte of a dump while it passes, in pieces of any size. */
export interface DumpWatcher {
  /** @throws {@link DumpFault} as soon as the bytes cannot be those of a whole dump. */
  push(bytes: Uint8Array): void
  /** The dump has ended. @throws {@link DumpFault} when it ended too early. */
  end(): void
  /** Whether it still looks at a piece when the next is pushed. */
  readonly keepsPieces: boolean
  /** Rows of each table whose data has passed in full. */
  readonly rows: ReadonlyMap<TableKey, number>
  /** Large objects whose data has passed. */
  readonly largeObjects: number
}

/** Why a dump is not whole, in a clause that goes on after "because". */
export class DumpFault extends Error {}

/** `COPY schema.table (columns) FROM stdin` without its semicolon, each byte one character. */
const copyStatement =
  /^COPY (?<schema>"(?:[^"]|"")+"|[^".\s]+)\.(?<table>"(?:[^"]|"")+"|[^".\s(]+) (?:\([^]*\))? ?FROM stdin$/

/** The table that a COPY statement fills; undefined for any other statement. */
export function tableOfCopy(statement: string): TableKey | undefined {
  const found = copyStatement.exec(statement)?.groups
  return found && tableKey(unquote(found['schema']!), unquote(found['table']!))
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}
