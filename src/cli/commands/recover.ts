import { resolve } from 'node:path'

import { formatBytes, textOf } from '#base'
import { prepareRecovery, type PlannedSecret, type RecoverableProject, type RecoveryPreview } from '#usecases'
import { askPassword } from '../ask-password.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import { cliError } from '../errors.ts'
import { exit } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { file, folder, place, projectName, snapshotId } from '../parsers.ts'
import { table } from '../table.ts'

interface Result {
  readonly preview: RecoveryPreview
  readonly isDone: boolean
}

export const recover = defineCommand({
  examples: [
    'bewaar recover --from=/mnt/disk/bewaar --dry-run',
    'bewaar recover --from=/mnt/disk/bewaar --password-file=/root/password --yes',
    'bewaar recover --from=sftp://u123456@u123456.your-storagebox.de:23/./bewaar --identity=/root/key --known-hosts=/root/known_hosts',
    'bewaar recover --from=/mnt/disk/bewaar --share-file=/root/share-1 --share-file=/root/share-3',
    'bewaar recover --from=/mnt/disk/bewaar --to=/tmp/recovered   # to look at it',
  ],
  input: {
    from: option('--from', place, { required: true, help: 'where the vault lies, as the recovery kit says' }),
    passwordFile: option('--password-file', file, { help: 'what opens it; default: it is asked for' }),
    shareFiles: options('--share-file', file, { help: 'a share of the password, one in each file' }),
    identity: option('--identity', file, { help: 'SFTP: the private key to log in with' }),
    knownHosts: option('--known-hosts', file, { help: 'SFTP: the keys of the host that are trusted' }),
    ca: option('--ca', file, { help: "REST: the authority that is trusted in place of the system's" }),
    snapshot: option('--snapshot', snapshotId, {
      help: 'this backup of Bewaar itself; default: the newest that is whole',
    }),
    projects: options('--project', projectName, {
      help: 'where the vault cannot tell what is in it and holds no backup of Bewaar itself: this project is in it',
    }),
    to: option('--to', folder, { help: 'put the configuration into this folder; default: to where it was' }),
    dryRun: flag('--dry-run', { help: 'show what would be written, and write nothing' }),
    yes: flag('--yes', { help: 'write without asking', short: '-y' }),
  },
  check: ({ passwordFile, shareFiles }) =>
    atMostOne({ '--password-file': passwordFile, '--share-file': shareFiles.length > 0 }),

  run: async (context, input, signal): Promise<Result> => {
    const { by: _, kit: _kit, secret: password } = await askPassword(context, input, signal)
    const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path))
    const [identity, knownHosts, authorities, to] = [input.identity, input.knownHosts, input.ca, input.to].map(absolute)
    const request = {
      location: input.from,
      password,
      fallbackFolder: resolve('.'),
      projects: input.projects,
      ...(identity !== undefined && { identity }),
      ...(knownHosts !== undefined && { knownHosts }),
      ...(authorities !== undefined && { authorities }),
      ...(to !== undefined && { to }),
      ...(input.snapshot !== undefined && { snapshot: input.snapshot }),
    }
    const services = { ...context.services.places(), files: await context.services.recoveryFiles() }
    await using prepared = await prepareRecovery(services, request, signal)
    const { preview } = prepared
    if (input.dryRun) return { preview, isDone: false }
    if (!input.yes) {
      const answer = await context.confirm('Write these files now?', planLines(preview))
      if (answer !== true) throw cliError('cli.not-recovered', { count: preview.files.length })
    }
    await prepared.perform(signal)
    return { preview, isDone: true }
  },

  render: ({ preview, isDone }, { width }) => [...planLines(preview, width, isDone), ...nextLines(preview, isDone)],

  json: ({ preview, isDone }) => ({
    ...preview,
    backup: preview.backup ? { ...preview.backup, time: new Date(preview.backup.time).toISOString() } : null,
    secrets: preview.secrets.map(({ key, reference, state }) => ({ key, reference, state })),
    projects: preview.projects.map(({ name, title, snapshots, newest, error }) => ({
      name,
      title: title ?? name,
      snapshots,
      newest: newest === undefined ? null : new Date(newest).toISOString(),
      error: error ? { code: error.code, message: error.message, hint: error.hint } : null,
    })),
    performed: isDone,
  }),

  exitCode: ({ preview }) => (preview.projects.some(({ error }) => error) ? exit.incomplete : exit.done),
})

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

function planLines(preview: RecoveryPreview, width?: number, isDone = false): string[] {
  const { place, backup, files, secrets, findings, projects } = preview
  const from = backup
    ? `The backup ${backup.snapshot.slice(0, 8)} of Bewaar itself, made ${formatInstant(backup.time, zone)} on ${backup.host} with Bewaar ${backup.version}, in ${place}:`
    : `From what lies in ${place}:`
  const written = isDone ? 'written' : 'to write'
  const wanted = secrets.filter(({ state }) => state !== 'there' && state !== 'given')
  return [
    from,
    ...files.map(({ path, what, size, isThere }) => {
      const state = isThere ? 'IS THERE ALREADY' : size === undefined ? written : `${written}, ${formatBytes(size)}`
      return `  ${path}  (${what}, ${state})`
    }),
    ...findings.map((finding) => `! ${finding}`),
    ...(wanted.length > 0
      ? ['', 'Secrets that no backup holds, and that you have to put there:', ...wanted.map(secretLine)]
      : []),
    '',
    ...table(columns, projects.map(projectRow), width),
    ...projects.flatMap(({ name, error }) => (error ? [`${name}: ${error.message}`, `  ${error.hint}`] : [])),
  ]
}

const columns = [{ title: 'PROJECT', shrink: true }, { title: 'BACKUPS', align: 'right' as const }, { title: 'NEWEST' }]

function projectRow({ name, snapshots, newest, error }: RecoverableProject): string[] {
  const last = newest === undefined ? 'none' : formatInstant(newest, zone).slice(0, 16)
  return [name, error ? '' : String(snapshots), error ? textOf(error) : last]
}

function secretLine({ key, reference, state }: PlannedSecret): string {
  const place =
    'file' in reference
      ? `the file ${reference.file}`
      : 'env' in reference
        ? `the environment variable ${reference.env}`
        : 'credential' in reference
          ? `the systemd credential ${reference.credential}`
          : `what ${reference.command[0]} prints`
  return `  ${key}: ${place}${state === 'unknown' ? ' (was not looked at)' : ''}`
}

function nextLines({ configuration, backup, projects }: RecoveryPreview, isDone: boolean): string[] {
  if (!isDone) return ['', 'Nothing was written.']
  const config = `--config=${configuration}`
  const first = projects.find(({ newest }) => newest !== undefined)?.name ?? 'NAME'
  return [
    '',
    'Next:',
    `  bewaar config check ${config}`,
    ...(backup ? [] : [`  bewaar init ${config}`]),
    `  bewaar list ${config}`,
    `  bewaar restore ${config} --project=${first} --latest`,
  ]
}
