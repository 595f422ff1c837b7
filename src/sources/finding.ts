/** What a source saw while it was dumped; shaped like the model's finding, without the project. */
export interface SourceFinding {
  /** A path, as people read it. */
  readonly subject: string
  readonly severity: 'notice' | 'warning' | 'damage'
  readonly text: string
}
