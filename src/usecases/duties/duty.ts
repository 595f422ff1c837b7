import {
  getProject,
  getVault,
  ownProject,
  ownProjectIn,
  vaultsInUse,
  type Configuration,
  type Due,
  type DutyKind,
  type DutyReport,
  type DutySubject,
  type Project,
} from '#model'
import { forItself } from '../recover/own-places.ts'
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

/** The same with Bewaar itself, in each vault by itself. */
export function eachProjectAndItself(configuration: Configuration): DutySubject[] {
  return [...eachProject(configuration), ...itselfInEach(configuration)]
}

export function eachPlaceAndItself(configuration: Configuration): DutySubject[] {
  return [...eachVaultOfEachProject(configuration), ...itselfInEach(configuration)]
}

function itselfInEach(configuration: Configuration): DutySubject[] {
  return vaultsInUse(configuration).map(({ name: vault }) => ({ project: ownProject, vault }))
}

/** What a duty works with: the project that it is about, and services that can open its repositories. @throws `project.missing`. */
export function sceneOf(
  services: Services,
  { project: name = '', vault = '' }: DutySubject,
): { readonly services: Services; readonly project: Project } {
  const { configuration } = services
  if (name !== ownProject) return { services, project: getProject(configuration, name) }
  return { services: forItself(services), project: ownProjectIn(configuration, getVault(configuration, vault)) }
}

/** Bewaar itself, in all vaults at once. */
export function itself(): DutySubject[] {
  return [{ project: ownProject }]
}

export function everything(): DutySubject[] {
  return [{}]
}
