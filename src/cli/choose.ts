import { getProject, requireSupported, type Configuration, type Project } from '#model'

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
