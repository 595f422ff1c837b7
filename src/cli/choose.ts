import { getProject, ownProject, requireSupported, type Configuration, type Project } from '#model'

/**
 * The projects that a command is about: those that were named, or all.
 *
 * @throws `project.missing`; `config.unsupported` for what this version cannot do.
 */
export function chooseProjects(configuration: Configuration, names: readonly string[]): readonly Project[] {
  const chosen = names.length === 0 ? configuration.projects : names.map((name) => getProject(configuration, name))
  requireSupported(configuration, chosen)
  return [...new Set(chosen)]
}

/** The same for a command that can be about Bewaar itself too: it is one of all, and its name is `bewaar`. */
export function chooseWithItself(
  configuration: Configuration,
  names: readonly string[],
): { readonly projects: readonly Project[]; readonly isItself: boolean } {
  const others = names.filter((name) => name !== ownProject)
  const isItself = names.length === 0 || others.length < names.length
  return { projects: names.length > 0 && others.length === 0 ? [] : chooseProjects(configuration, others), isItself }
}
