import { formatBytes } from '#base'
import { beginOfDay, getProject, logKinds, ownProject } from '#model'
import type { LogLine } from '#usecases'
import { defineCommand, option } from '../command.ts'
import { formatInstant } from '../instant.ts'
import { age, count, date, listOf, projectName, type Parser } from '../parsers.ts'
import { Refusal } from '../refusal.ts'
import { table } from '../table.ts'

/** How many are shown where nothing says how many. */
const usual = 20

/** A day of the calendar, or how long ago in milliseconds. */
const sinceWhen: Parser<string | number> = {
  placeholder: 'WHEN',
  parse: (text) => {
    try {
      return /^\d{4}-/.test(text) ? date.parse(text) : age.parse(text)
    } catch {
      throw new Refusal('it must be a day, for example 2025-11-21, or how long ago, for example "24 hours"')
    }
  },
}

export const logs = defineCommand({
  examples: [
    'bewaar logs',
    'bewaar logs --project=shop --limit=100',
    'bewaar logs --kind=restore,test --since=2025-01-01',
    'bewaar logs --since="24 hours" --verbose',
  ],
  input: {
    project: option('--project', projectName, { help: 'only this project' }),
    kinds: option('--kind', listOf(logKinds), { help: 'only these kinds' }),
    since: option('--since', sinceWhen, { help: 'only what was logged since a day, or in the last "7 days"' }),
    limit: option('--limit', count, { help: `how many of the latest entries; default: ${usual}, with --since all` }),
  },

  run: async ({ services, warn, options }, { project, kinds, since, limit }) => {
    const configuration = await services.loadConfiguration()
    const { timezone } = configuration
    const most = limit ?? (since === undefined ? usual : undefined)
    const { entries, warning } = await services.readLog(configuration, {
      ...(project !== undefined && { project }),
      ...(kinds && { kinds }),
      ...(typeof since === 'number' && { withinMs: since }),
      ...(typeof since === 'string' && { since: beginOfDay(since, timezone) }),
      ...(most !== undefined && { limit: most }),
    })
    if (warning !== undefined) warn(warning)
    // Because a project that is gone from the configuration may have left its log.
    if (project !== undefined && project !== ownProject && entries.length === 0) getProject(configuration, project)
    const isNarrowed = project !== undefined || kinds !== undefined || since !== undefined
    return { entries, timezone, isNarrowed, verbose: options.verbose }
  },

  render: ({ entries, timezone, isNarrowed, verbose }, { width }) => {
    if (entries.length === 0)
      return [isNarrowed ? 'Nothing that fits has been logged.' : 'Nothing has been logged yet.']
    const [head, ...rows] = table(
      columns,
      entries.map((entry) => cellsOf(entry, timezone)),
      width,
    )
    return [head!, ...rows.flatMap((row, index) => [row, ...detailsOf(entries[index]!, verbose)])]
  },

  json: ({ entries }) =>
    entries.map(({ time, record, ...entry }) => ({
      time: new Date(time).toISOString(),
      ...entry,
      result: record?.result ?? null,
      vault: record?.vault ?? null,
      from: record?.from ?? null,
      target: record?.target ?? null,
      snapshot: record?.snapshot ?? null,
      bytes: record?.bytes ?? null,
      seconds: record?.seconds ?? null,
      who: record?.who ?? null,
      sha256: record?.sha256 ?? null,
    })),
})

const right = 'right' as const
const columns = [
  { title: 'TIME' },
  { title: 'KIND' },
  { title: 'PROJECT', shrink: true },
  { title: 'VAULT' },
  { title: 'RESULT' },
  { title: 'SIZE', align: right },
  { title: 'TOOK', align: right },
]

function cellsOf({ time, kind, project = '', level, record }: LogLine, timezone: string): string[] {
  return [
    formatInstant(time, timezone).slice(0, 16),
    kind,
    project,
    record?.vault ?? '',
    record?.result ?? (level === 'info' ? '' : level),
    record?.bytes === undefined ? '' : formatBytes(record.bytes),
    record ? clock(record.seconds) : '',
  ]
}

/** What a row does not say: all of what went wrong, and of what was restored. */
function detailsOf({ kind, level, text, run, record }: LogLine, verbose: boolean): string[] {
  const isPlain = level === 'info' && record !== undefined && kind !== 'restore' && kind !== 'test'
  const facts = [
    ...(record?.who === undefined ? [] : [`by ${record.who}`]),
    ...(record?.snapshot === undefined ? [] : [`snapshot ${record.snapshot.slice(0, 8)}`]),
    ...(run === undefined ? [] : [`run ${run}`]),
  ]
  return [
    ...(isPlain && !verbose ? [] : [`    ${text}`]),
    ...(facts.length > 0 && (verbose || kind === 'restore') ? [`    ${facts.join(', ')}`] : []),
  ]
}

/** `0:07`, `2:05`, `1:02:05`. */
function clock(seconds: number): string {
  const whole = Math.round(seconds)
  const two = (part: number): string => String(part).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
