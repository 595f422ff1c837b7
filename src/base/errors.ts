/** What kind of trouble it is: whether to retry, the exit code and the HTTP status follow from it. */
export type ErrorKind =
  | 'invalid'
  | 'missing'
  | 'conflict'
  | 'locked'
  | 'denied'
  | 'unavailable'
  | 'damaged'
  | 'cancelled'

export interface ErrorEntry {
  readonly kind: ErrorKind
  /** One sentence without a full stop; `{name}` marks a fact that the thrower must supply. */
  readonly message: string
  /** What a person can do next, in the imperative. */
  readonly hint: string
}

type Blanks<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Blanks<Rest> : never
type Facts<Entry extends ErrorEntry> = Record<Blanks<Entry['message'] | Entry['hint']>, string | number>

/** A room's one way to build its errors: the compiler asks for a fact for each `{blank}` of the entry's texts. */
export type Raise<Table extends Record<string, ErrorEntry>> = (<Code extends keyof Table & string>(
  code: Code,
  facts: Facts<Table[Code]>,
  cause?: unknown,
) => AppError) & { readonly table: Table }

/** The only error that may cross from one room to another; anything else that is thrown is a bug. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: string
  readonly kind: ErrorKind
  readonly hint: string
  readonly facts: Readonly<Record<string, string | number>>

  constructor(code: string, entry: ErrorEntry, facts: Record<string, string | number>, cause?: unknown) {
    super(fill(entry.message, facts), { cause })
    this.code = code
    this.kind = entry.kind
    this.hint = fill(entry.hint, facts)
    this.facts = facts
  }
}

/**
 * Turns a room's table of errors into its one way to raise them.
 *
 * @returns a function that builds the error for `code`; its `table` feeds the generated error reference.
 */
export function defineErrors<const Table extends Record<string, ErrorEntry>>(table: Table): Raise<Table> {
  const raise = (code: keyof Table & string, facts: Record<string, string | number>, cause?: unknown): AppError =>
    new AppError(code, table[code]!, facts, cause)
  return Object.assign(raise, { table })
}

/** The text of an unknown thrown value, for a message. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The system's short code of a thrown value (`ENOENT`, `EACCES` …), or undefined when it has none. */
export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
}

function fill(text: string, facts: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (blank, name: string) => (name in facts ? String(facts[name]) : blank))
}
