import { vaultsOf, type Configuration } from './configuration.ts'
import { modelError } from './errors.ts'
import { formatLocation } from './location.ts'
import type { Project } from './project.ts'
import type { Vault } from './vault.ts'

/** A part of the configuration that is understood, and that this version of Bewaar cannot honour. */
export interface UnsupportedPart {
  /** As in the file: `projects.shop.on`. */
  readonly key: string
  readonly project?: string
  readonly vault?: string
  /** `refused`: whatever needs it fails. `ignored`: nothing is done with it, and nothing is lost by that. */
  readonly effect: 'refused' | 'ignored'
  readonly text: string
}

/** All such parts, in the order: catalog, vaults, projects, notify. */
export function unsupportedParts(configuration: Configuration): readonly UnsupportedPart[] {
  return [
    ...(configuration.catalog.kind === 'sqlite'
      ? []
      : [refused('catalog', {}, `a catalog in ${configuration.catalog.kind} is not possible in this version`)]),
    ...configuration.vaults.flatMap(ofVault),
    ...configuration.projects.flatMap(ofProject),
    ...Object.keys(configuration.notify).map((channel) => ignored(`notify.${channel}`, {}, 'nobody is told yet')),
  ]
}

/**
 * Lets pass what this version can do: the catalog, the given projects and the vaults that they use.
 *
 * @throws `config.unsupported` for the first part that it cannot.
 */
export function requireSupported(configuration: Configuration, projects: readonly Project[]): void {
  const names = new Set(projects.map((project) => project.name))
  const vaults = new Set(projects.flatMap((project) => vaultsOf(configuration, project)).map((vault) => vault.name))
  const part = unsupportedParts(configuration).find(
    ({ effect, project, vault }) =>
      effect === 'refused' &&
      (project === undefined || names.has(project)) &&
      (vault === undefined || vaults.has(vault)),
  )
  if (part) throw modelError('config.unsupported', { part: `${part.key}: ${part.text}` })
}

/** The folder of a vault on this machine. @throws `vault.unsupported` for every other kind of location. */
export function localFolder(vault: Vault): string {
  if (vault.location.kind === 'local') return vault.location.path
  throw modelError('vault.unsupported', { vault: vault.name, location: formatLocation(vault.location) })
}

function ofVault(vault: Vault): UnsupportedPart[] {
  if (vault.location.kind === 'local') return []
  const text = `a location of the kind ${vault.location.kind} is not possible in this version, only a local folder`
  return [refused(`vaults.${vault.name}.location`, { vault: vault.name }, text)]
}

function ofProject(project: Project): UnsupportedPart[] {
  const name = project.name
  const parts: UnsupportedPart[] = []
  const ignore = (key: string, text: string): void => {
    parts.push(ignored(`projects.${name}.${key}`, { project: name }, text))
  }
  for (const [index, copying] of project.copies.entries()) {
    if (copying.schedule)
      ignore(`copies.${index}.schedule`, '`bewaar copy` makes this copy, nothing does by itself yet')
  }
  if (project.keep.size > 0) ignore('keep', 'nothing is removed yet')
  if (project.restoreTest) ignore('restore-test', 'restores are not tested on a schedule yet')
  if (project.restore.after) ignore('restore.after', 'nothing is run after a restore yet')
  if (project.restore.health) ignore('restore.health', 'nothing is asked after a restore yet')
  return parts
}

function refused(key: string, about: { project?: string; vault?: string }, text: string): UnsupportedPart {
  return { key, ...about, effect: 'refused', text }
}

function ignored(key: string, about: { project?: string; vault?: string }, text: string): UnsupportedPart {
  return { key, ...about, effect: 'ignored', text }
}
