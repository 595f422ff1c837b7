import { getProject, ownProject } from '#model'
import { defineCommand, option } from '../command.ts'
import { formatInstant } from '../instant.ts'
import { count, projectName } from '../parsers.ts'
import { table } from '../table.ts'

export const logs = defineCommand({
  examples: ['bewaar logs', 'bewaar logs --project=shop --limit=100'],
  input: {
    project: option('--project', projectName, { help: 'only this project' }),
    limit: option('--limit', count, { fallback: 20, help: 'how many of the latest entries' }),
  },

  run: async ({ services, warn }, { project, limit }) => {
    const configuration = await services.loadConfiguration()
    const { entries, warning } = await services.readLog(configuration, { limit, ...(project ? { project } : {}) })
    if (warning !== undefined) warn(warning)
    // Because a project that is gone from the configuration may have left its log.
    if (project !== undefined && project !== ownProject && entries.length === 0) getProject(configuration, project)
    return { entries, timezone: configuration.timezone }
  },

  render: ({ entries, timezone }, { width }) => {
    if (entries.length === 0) return ['Nothing has been logged yet.']
    const columns = [
      { title: 'TIME' },
      { title: 'PROJECT' },
      { title: 'KIND' },
      { title: 'LEVEL' },
      { title: 'TEXT', shrink: true },
    ]
    const rows = entries.map(({ time, project, kind, level, text }) => [
      formatInstant(time, timezone),
      project ?? '',
      kind,
      level,
      text,
    ])
    return table(columns, rows, width)
  },

  json: ({ entries }) => entries.map(({ time, ...entry }) => ({ time: new Date(time).toISOString(), ...entry })),
})
