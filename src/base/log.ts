/** What a line of the log is about: names, numbers, instants as text. Never a secret. */
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>

/** Where a service says what it does; one line for each call. */
export interface Log {
  debug(text: string, facts?: LogFacts): void
  info(text: string, facts?: LogFacts): void
  warn(text: string, facts?: LogFacts): void
  /** @param thrown - its stack is kept when it is a bug. */
  error(text: string, facts?: LogFacts, thrown?: unknown): void
}
