import type { Finding, Project } from '#model'
import { getStrategy } from '#strategies'
import type { PlanningServices } from '../services.ts'
import { contentOf, openHost } from './open-host.ts'

/** What a run of a project would take; nothing is read or changed for it but the project's folder. */
export interface RunPlan {
  readonly project: string
  readonly type: string
  readonly path: string
  readonly vault: string
  readonly copies: readonly string[]
  readonly takes: readonly string[]
  readonly leavesOut: readonly string[]
  readonly findings: readonly Finding[]
}

/** @throws `source.missing` when the project's folder is not there; errors of the connection to another server. */
export async function planRun(services: PlanningServices, project: Project, signal?: AbortSignal): Promise<RunPlan> {
  await using temporary = await services.temporaryFolder()
  await using host = await openHost(services, project, temporary, signal)
  const plan = await getStrategy(project.type).plan(await contentOf(services, project, signal), host, signal)
  return {
    project: project.name,
    type: project.type,
    path: project.path,
    vault: project.vault,
    copies: project.copies.map(({ to }) => to),
    takes: plan.takes,
    leavesOut: plan.leavesOut,
    findings: plan.findings.map((finding) => ({ project: project.name, ...finding })),
  }
}
