export const severities = ['notice', 'warning', 'damage'] as const

/** `notice`: good to know. `warning`: something was not taken or not done. `damage`: bytes are not what they must be. */
export type Severity = (typeof severities)[number]

/** Something that a run, a check, a verification or a restore test saw; a value, not an error. */
export interface Finding {
  readonly vault?: string
  readonly project?: string
  /** What it is about: a path, a database, a file of a repository. */
  readonly subject: string
  readonly severity: Severity
  /** One sentence for people. */
  readonly text: string
}
