import type { Configuration, Due, DutyKind, DutyReport, DutySubject } from '#model'
import type { Services } from '../services.ts'

/** How a duty ended; one sentence for people. */
export type DutyOutcome = Pick<DutyReport, 'outcome' | 'text'>

/** Something that is done by itself. */
export interface Duty {
  readonly kind: DutyKind
  /** Heavy duties are limited in number, and a project has one at a time. */
  readonly isHeavy: boolean
  /** Who it is about, in the order of the configuration. */
  about(configuration: Configuration): readonly DutySubject[]
  /** `often`: every minute or so, and after each heavy duty. */
  readonly judge: 'often' | ((services: Services, subject: DutySubject) => Promise<Due>)
  /**
   * Does it, and records what was done, so that `judge` knows.
   *
   * @throws what keeps it from being done and from being recorded.
   */
  perform(services: Services, subject: DutySubject, slot: number, signal: AbortSignal): Promise<DutyOutcome>
}

export function eachProject({ projects }: Configuration): DutySubject[] {
  return projects.map(({ name: project }) => ({ project }))
}

export function eachVaultOfEachProject({ projects }: Configuration): DutySubject[] {
  return projects.flatMap(({ name: project, vault, copies }) =>
    [vault, ...copies.map(({ to }) => to)].map((name) => ({ project, vault: name })),
  )
}

export function everything(): DutySubject[] {
  return [{}]
}
