import { textOf } from '#base'
import { getProject, type Finding, type Project } from '#model'
import { rawPathOf, type Host, type ProgramCall } from '#sources'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import { openHost } from './open-host.ts'

type Commands = readonly (readonly string[])[]

/** A program that undoes something gets so long, in milliseconds, whatever else is going on. */
const undoTimeMs = 120_000

/**
 * Makes a project quiet, as its configuration says, until the result is disposed. What undoes it is written down before
 * anything is done, so that a run that is killed leaves it to the next start (`undoAbandoned`).
 *
 * @param report - told when it could not be undone.
 * @throws `run.not-quiet`, after undoing what was done.
 */
export async function keepQuiet(
  services: Pick<Services, 'catalog'>,
  project: Project,
  { host, run, since }: { readonly host: Host; readonly run: string; readonly since: number },
  report: (finding: Omit<Finding, 'project'>) => void,
  signal?: AbortSignal,
): Promise<AsyncDisposable> {
  const { before, undo } = await commandsOf(project, host)
  if (before.length + undo.length === 0) return { [Symbol.asyncDispose]: async () => {} }
  const { quiet } = services.catalog
  await quiet.begin({ run, project: project.name, since, undo })
  let isOver = false
  const end = async (): Promise<void> => {
    if (isOver) return
    isOver = true
    const failure = await undoAll(host, project.path, undo)
    if (failure === undefined) return await quiet.end(run)
    report({ subject: project.path, severity: 'warning', text: sayLeft(failure) })
  }
  try {
    for (const command of before) await host.run(callOf(command, project.path), signal)
  } catch (thrown) {
    await end()
    signal?.throwIfAborted()
    throw usecaseError('run.not-quiet', { project: project.name, reason: textOf(thrown) }, thrown)
  }
  return { [Symbol.asyncDispose]: end }
}

/**
 * Undoes what killed runs have left quiet. What cannot be undone now is tried again the next time.
 *
 * @returns what there is to say of it.
 */
export async function undoAbandoned(services: Services, signal?: AbortSignal): Promise<Finding[]> {
  const { catalog, configuration, clock } = services
  const findings: Finding[] = []
  for (const { run, project: name, undo } of await catalog.quiet.abandoned()) {
    let failure: string | undefined
    try {
      const project = getProject(configuration, name)
      await using temporary = await services.temporaryFolder()
      await using host = await openHost(services, project, temporary, signal)
      failure = await undoAll(host, project.path, undo)
    } catch (thrown) {
      signal?.throwIfAborted()
      failure = textOf(thrown)
    }
    if (failure === undefined) await catalog.quiet.end(run)
    const text = failure === undefined ? 'A killed run had left it quiet; that is undone now' : sayLeft(failure)
    findings.push({ project: name, subject: 'quiet', severity: failure === undefined ? 'notice' : 'warning', text })
    const level = failure === undefined ? 'info' : 'error'
    await catalog.log.add({ time: clock.now(), kind: 'backup', level, text, project: name, run })
  }
  return findings
}

function sayLeft(failure: string): string {
  return `It may still be quiet, for example in maintenance mode, because undoing it failed: ${failure}`
}

/** Each is tried, also when one before it failed. @returns why the first did not work. */
async function undoAll(host: Host, path: string, undo: Commands): Promise<string | undefined> {
  let failure: string | undefined
  for (const command of undo) {
    try {
      await host.run(callOf(command, path), AbortSignal.timeout(undoTimeMs))
    } catch (thrown) {
      failure ??= `\`${command.join(' ')}\`: ${textOf(thrown)}`
    }
  }
  return failure
}

function callOf([program = '', ...args]: readonly string[], cwd: string): ProgramCall {
  return { program, args, cwd }
}

async function commandsOf({ quiet, path }: Project, host: Host): Promise<{ before: Commands; undo: Commands }> {
  if (!quiet) return { before: [], undo: [] }
  // Because whoever took the application down for another reason wants it to stay down.
  const isDown = (await host.kindAt(rawPathOf(`${path}/storage/framework/down`))) !== undefined
  if (!quiet.maintenance || isDown) return { before: quiet.before, undo: quiet.after }
  const artisan = await artisanOf(path, host)
  return {
    before: [[...artisan, 'down', '--retry=60'], ...quiet.before],
    undo: [...quiet.after, [...artisan, 'up']],
  }
}

/** As the owner of the application when we are root, so that it can remove what we make. */
async function artisanOf(path: string, host: Host): Promise<readonly string[]> {
  const artisan = ['php', 'artisan']
  if (host.kind !== 'local' || process.getuid?.() !== 0) return artisan
  const status = await host.findStatus(rawPathOf(`${path}/artisan`))
  if (!status || status.uid === 0) return artisan
  return ['setpriv', `--reuid=${status.uid}`, `--regid=${status.gid}`, '--clear-groups', '--', ...artisan]
}
