import { resolve } from 'node:path'

import { chooseJson, inspectGit, type PlannedSource } from '#sources'
import { composePlan } from './compose-plan.ts'
import { lookThrough, withinProject } from './look-through.ts'
import { planServerDatabases, serversOf } from './server-databases.ts'
import type { Strategy } from './strategy.ts'

/** A JSON file that changed so recently may well change again while it is read. */
const recentMs = 3_600_000

/** Any folder: all that lies in it, so that what is restored equals what was there. */
export const generic: Strategy = {
  async detect() {
    return { confidence: 0.1, reasons: ['fits every folder'] }
  },

  async plan(project, host, signal) {
    const path = resolve(project.path)
    const look = await lookThrough({ ...project, path }, project, host, signal)
    const git = await inspectGit(host, path, signal)
    const recent = await chooseJson(host, look.json, recentMs)
    const sources: PlannedSource[] = [
      ...planServerDatabases(path, [], serversOf(project)),
      {
        kind: 'files',
        options: {
          path,
          ...(project.files && {
            wanted: project.files,
            besides: withinProject(path, look.sqlite, look.configuredJson),
          }),
          leaveOut: project.leaveOut,
        },
      },
      { kind: 'sqlite', options: { path, databases: look.sqlite } },
      { kind: 'json', options: { path, databases: look.configuredJson, counted: true } },
      { kind: 'json', options: { path, databases: recent, counted: false } },
    ]
    if (git?.bundle) sources.push({ kind: 'git', options: { ...git, alsoInFiles: project.files === undefined } })
    return composePlan(sources, look)
  },
}
