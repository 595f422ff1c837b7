import { formatBytes, formatCount, formatSeconds } from '#base'
import type { DatabasePreview, RestorePreview, RestoreReport } from '#usecases'
import { formatInstant } from './instant.ts'
import { findingLines } from './render-findings.ts'
import { table } from './table.ts'

/** What a restore would do, line by line. */
export function planLines(preview: RestorePreview, zone: string, width?: number): string[] {
  const { project, snapshot, vault, because, time, findings, standing } = preview
  return [
    ...(standing.length > 0 ? ['The last restore was not finished:', ...standing.map((line) => `  ${line}`), ''] : []),
    ...(preview.undoes === undefined ? [] : [`Takes restore ${preview.undoes} of ${project} back:`]),
    ...(preview.resumes === undefined ? [] : [`Goes on with restore ${preview.resumes} of ${project}:`]),
    `Snapshot ${snapshot.slice(0, 8)} of ${project}, made ${formatInstant(time, zone)}, from the vault ${vault}: ${because}.`,
    ...(preview.place === undefined ? [] : [`It goes to ${preview.place}.`]),
    ...folderLines(preview, width),
    ...preview.databases.map((database) => databaseLine(database, preview)),
    ...(preview.git ? ['.git is gone, and is made anew from the history in the backup.'] : []),
    ...changeLines(preview),
    ...commandLines(preview),
    ...(preview.inPlace ? [safetyLine(preview)] : []),
    ...(preview.expectedSeconds === undefined
      ? []
      : [`By earlier restores it takes about ${formatSeconds(preview.expectedSeconds)}.`]),
    ...findingLines(findings),
  ]
}

function folderLines({ steps }: RestorePreview, width?: number): string[] {
  if (steps.length === 0) return []
  const rows = steps.map(({ what, target, created, overwritten, unchanged, bytes }) => [
    what,
    target,
    formatCount(created),
    formatCount(overwritten),
    formatCount(unchanged),
    formatBytes(bytes),
  ])
  return table(columns, rows, width)
}

const columns = [
  { title: 'WHAT' },
  { title: 'TO', shrink: true },
  { title: 'CREATE', align: 'right' as const },
  { title: 'OVERWRITE', align: 'right' as const },
  { title: 'UNCHANGED', align: 'right' as const },
  { title: 'TO WRITE', align: 'right' as const },
]

function databaseLine(database: DatabasePreview, { undoes, tables }: RestorePreview): string {
  const { name, server, version, bytes, isDone, isSwappedBack } = database
  const about = `Database ${name} on ${server} (${version})`
  if (isDone) return `${about}: done already`
  if (undoes !== undefined && isSwappedBack) return `${about}: back to what the server has kept`
  const what = tables.length > 0 ? `${plural(tables.length, 'table')} (${tables.join(', ')})` : formatBytes(bytes)
  const roles = database.roles.length > 0 ? `; makes the roles ${database.roles.join(', ')}` : ''
  return `${about}: ${what} ${howLoaded(database)}${roles}`
}

function howLoaded({ method, now }: DatabasePreview): string {
  const there = now ? `${plural(now.tables, 'table')}, ${formatBytes(now.bytes)}` : ''
  switch (method) {
    case 'create':
      return 'into a new database'
    case 'fill':
      return 'into the empty database'
    case 'beside':
      return `beside what is there (${there}), which it then replaces in one step; the server keeps it until --confirm`
    case 'transaction':
      return `in the place of what is there (${there}), in one transaction`
    case 'over':
      return `over what is there (${there}), table by table`
    case 'tables':
      return `in the place of those that are there; the server keeps them until --confirm`
    default:
      return method satisfies never
  }
}

function changeLines({ examples, steps, removals }: RestorePreview): string[] {
  const overwritten = steps.reduce((sum, step) => sum + step.overwritten, 0)
  return [
    ...examples.map((path) => `  overwrites ${path}`),
    ...(overwritten > examples.length ? [`  and ${overwritten - examples.length} more`] : []),
    ...removals.map((path) => `  removes ${path}`),
  ]
}

function commandLines({ commands, health }: RestorePreview): string[] {
  return [
    ...commands.before.map((command) => `  runs ${command.join(' ')} before it`),
    ...commands.after.map((command) => `  runs ${command.join(' ')} after it`),
    ...(health === undefined ? [] : [`  asks ${health} whether the application is well`]),
  ]
}

function safetyLine({ safetyVault, undoes, resumes }: RestorePreview): string {
  if (safetyVault !== undefined) return `Before anything is written, what is there now is backed up to ${safetyVault}.`
  if (undoes !== undefined) return 'What is there now is not backed up first.'
  return resumes === undefined
    ? 'What is there now is NOT backed up first: overwritten files cannot be had back.'
    : 'What was there before the restore was backed up when it began, or was to be had no more.'
}

/** What a restore came to. */
export function outcomeLines(report: RestoreReport): string[] {
  const { project, status, snapshot, vault, safety, kept, restore } = report
  return [
    `${project}: ${status}, snapshot ${snapshot.slice(0, 8)} from ${vault}: ${outcomeOf(report)}`,
    ...(safety
      ? [`As it was before: snapshot ${safety.snapshot.slice(0, 8)} in ${safety.vault}; --undo takes ${restore} back.`]
      : []),
    ...(kept.length > 0 ? [`Kept on the server until \`--confirm\`: ${kept.join(', ')}`] : []),
  ]
}

function outcomeOf({ files, bytes, rows, seconds, steps, databases, git }: RestoreReport): string {
  const places = [...new Set(steps.map(({ target }) => target))].join(', ')
  const loaded =
    databases.length > 0 ? `${plural(rows, 'row')} loaded into ${databases.map(({ name }) => name).join(', ')}` : ''
  const anew = git ? ', with .git made anew' : ''
  const took = `in ${formatSeconds(seconds)}`
  if (places === '') return `${loaded} ${took}`
  const restored =
    files === 0
      ? `${places} is as in the backup${anew}`
      : `${plural(files, 'file')}${databases.length === 0 ? ` (${formatBytes(bytes)})` : ''} restored to ${places}${anew}`
  return `${restored}${loaded === '' ? '' : `, ${loaded}`}, ${took}`
}

function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
