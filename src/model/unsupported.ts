import type { Configuration } from './configuration.ts'
import { modelError } from './errors.ts'
import type { Project } from './project.ts'

/** A part of the configuration that is understood, and that this version of Bewaar cannot honour. */
export interface UnsupportedPart {
  /** As in the file: `projects.shop.on`. */
  readonly key: string
  readonly project?: string
  /** `refused`: whatever needs it fails. `ignored`: nothing is done with it, and nothing is lost by that. */
  readonly effect: 'refused' | 'ignored'
  readonly text: string
}

/** All such parts, in the order: catalog, projects. */
export function unsupportedParts(configuration: Configuration): readonly UnsupportedPart[] {
  return [
    ...(configuration.catalog.kind === 'sqlite'
      ? []
      : [refused('catalog', {}, `a catalog in ${configuration.catalog.kind} is not possible in this version`)]),
    ...configuration.projects.flatMap(ofProject),
  ]
}

/**
 * Lets pass what this version can do: the catalog and the given projects.
 *
 * @throws `config.unsupported` for the first part that it cannot.
 */
export function requireSupported(configuration: Configuration, projects: readonly Project[]): void {
  const names = new Set(projects.map((project) => project.name))
  const part = unsupportedParts(configuration).find(
    ({ effect, project }) => effect === 'refused' && (project === undefined || names.has(project)),
  )
  if (part) throw modelError('config.unsupported', { part: `${part.key}: ${part.text}` })
}

function ofProject(project: Project): UnsupportedPart[] {
  const name = project.name
  const parts: UnsupportedPart[] = []
  const ignore = (key: string, text: string): void => {
    parts.push(ignored(`projects.${name}.${key}`, { project: name }, text))
  }
  if (project.keep.size > 0) ignore('keep', 'nothing is removed yet')
  if (project.restore.after) ignore('restore.after', 'nothing is run after a restore yet')
  if (project.restore.health) ignore('restore.health', 'nothing is asked after a restore yet')
  return parts
}

function refused(key: string, about: { project?: string }, text: string): UnsupportedPart {
  return { key, ...about, effect: 'refused', text }
}

function ignored(key: string, about: { project?: string }, text: string): UnsupportedPart {
  return { key, ...about, effect: 'ignored', text }
}
