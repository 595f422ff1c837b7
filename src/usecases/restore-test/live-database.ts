/** A restored database that answers. */
export interface LiveDatabase {
  /** What the project calls it: the name in `database/NAME.sql`, or the path of a file. */
  readonly name: string
  /** In the snapshot. */
  readonly path: string
  /** How an application finds it: variables of its environment. */
  readonly environment: Readonly<Record<string, string>>
  /**
   * Asks one query, and gives its rows with all values as texts.
   *
   * @throws `program.failed`, or an error whose text says what is wrong with the query.
   */
  ask(query: string, signal?: AbortSignal): Promise<readonly (readonly (string | null)[])[]>
}
