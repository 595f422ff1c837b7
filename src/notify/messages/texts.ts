import type { Criticality, TroubleKind } from '#model'

/** One thing to do: a sentence, and the commands for it. */
export interface Step {
  readonly text: string
  readonly commands: readonly string[]
}

/** What a trouble is about, in words for people; the names of the configuration stand in commands. */
export interface Names {
  /** Name in the configuration, for commands. */
  readonly project?: string
  readonly vault?: string
}

export interface KindTexts {
  /** For subjects: in capitals. */
  readonly title: string
  /** One sentence: what it means. */
  readonly meaning: string
  readonly todo: (names: Names) => readonly Step[]
}

/** All words of an alarm in one language; the compiler asks each language for each of them. */
export interface AlarmTexts {
  /** For dates and numbers. */
  readonly locale: string
  readonly kinds: Readonly<Record<TroubleKind, KindTexts>>
  readonly criticalities: Readonly<Record<Criticality, string>>
  readonly labels: {
    readonly project: string
    readonly vault: string
    readonly criticality: string
    readonly report: string
    readonly since: string
    readonly until: string
    readonly lasted: string
    readonly lastBackup: string
    readonly incident: string
    readonly whatToDo: string
  }
  /** Before the title in a subject. */
  readonly worse: string
  readonly resolved: string
  readonly reminder: (count: number) => string
  readonly reminderMeaning: (count: number, duration: string) => string
  readonly worseMeaning: (criticality: string) => string
  readonly resolvedMeaning: (duration: string) => string
  readonly resolvedBy: (who: string) => string
  readonly many: (count: number) => string
  readonly manyMeaning: (count: number) => string
  readonly manyResolved: (count: number) => string
  readonly others: (count: number) => string
  readonly lastBackupIn: (when: string, vault: string) => string
  readonly noBackup: string
  readonly ago: (duration: string) => string
  readonly acknowledge: string
  readonly show: string
  readonly footer: (version: string, file: string) => string
  readonly test: { readonly title: string; readonly meaning: string }
}
