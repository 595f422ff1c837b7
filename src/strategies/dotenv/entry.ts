/** A line of a `.env` file that its own program could not read. */
export interface DotenvTrouble {
  /** From 1. */
  readonly line: number
  /** What is wrong with it; never a value. */
  readonly text: string
}

/** A value after its references were entered may not be longer: references to references grow without end. */
export const longestValue = 1 << 16

/** A name and its value, as a line of the file has them. */
export interface DotenvEntry {
  /** From 1. */
  readonly line: number
  readonly name: string
  /** Absent: the name stood alone. */
  readonly value?: Written
}

/** A value as it is written, without its quotes and escapes. */
export interface Written {
  readonly text: string
  /** Where in it a `$` may begin a reference, ascending. */
  readonly references: readonly number[]
}
