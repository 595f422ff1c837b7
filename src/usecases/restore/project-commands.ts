import type { Project } from '#model'
import { rawPathOf, type Host, type ProgramCall } from '#sources'

export type Command = readonly string[]

/** What is run around a restore. */
export interface ProjectCommands {
  readonly before: readonly Command[]
  readonly after: readonly Command[]
  /** What undoes `before`; last of all, and only when everything before it went well. */
  readonly up: readonly Command[]
  /** Whether they are ours: then they are run as the owner of the project, and may be missing. */
  readonly isByType: { readonly before: boolean; readonly after: boolean }
}

interface Circumstances {
  readonly holds: (path: string) => Promise<boolean>
  readonly wasDown: boolean
}

/**
 * The programs that bring a project down before a restore and up after it: those of the configuration, else what the type of the
 * project knows.
 *
 * @param circumstances - `holds`: whether the snapshot holds a file, by its path in it. `wasDown`: an earlier part of this restore took
 * the project down.
 */
export async function commandsOf(project: Project, host: Host, circumstances: Circumstances): Promise<ProjectCommands> {
  const { before, after } = project.restore
  const known = await commandsOfType(project, host, circumstances)
  return {
    before: before ?? known.before,
    after: after ?? known.after,
    up: before ? [] : known.up,
    isByType: { before: before === undefined, after: after === undefined },
  }
}

async function commandsOfType(
  { type, path }: Project,
  host: Host,
  { holds, wasDown }: Circumstances,
): Promise<Pick<ProjectCommands, 'before' | 'after' | 'up'>> {
  const isThere = async (name: string): Promise<boolean> =>
    (await host.kindAt(rawPathOf(`${path}/${name}`))) !== undefined
  const willBeThere = async (name: string): Promise<boolean> => (await isThere(name)) || (await holds(`files/${name}`))
  if (type === 'laravel-app' && (await willBeThere('artisan'))) {
    const canRun = await isThere('vendor/autoload.php')
    // Because whoever took the application down for another reason wants it to stay down.
    const isDown = !wasDown && (await isThere('storage/framework/down'))
    const install = ['composer', 'install', '--no-interaction', '--no-dev', '--prefer-dist', '--optimize-autoloader']
    return {
      before: canRun && !isDown ? [artisan('down', '--retry=60')] : [],
      after: [
        ...(canRun || !(await willBeThere('composer.json')) ? [] : [install]),
        artisan('migrate', '--force'),
        artisan('optimize:clear'),
        artisan('config:cache'),
        artisan('queue:restart'),
      ],
      up: isDown ? [] : [artisan('up')],
    }
  }
  if (type === 'node-app' && !(await isThere('node_modules')) && (await willBeThere('package-lock.json'))) {
    return { before: [], after: [['npm', 'ci']], up: [] }
  }
  return { before: [], after: [], up: [] }
}

function artisan(...args: string[]): Command {
  return ['php', 'artisan', ...args]
}

/**
 * A program to be run in the folder of the project.
 *
 * @param isOurs - as the owner of the folder when we are root, so that the application can remove what it makes.
 */
export async function callIn(
  path: string,
  host: Host,
  [program = '', ...args]: Command,
  isOurs: boolean,
): Promise<ProgramCall> {
  if (!isOurs || host.kind !== 'local' || process.getuid?.() !== 0) return { program, args, cwd: path }
  const status = await host.findStatus(rawPathOf(path))
  if (!status || status.uid === 0) return { program, args, cwd: path }
  const owner = [`--reuid=${status.uid}`, `--regid=${status.gid}`, '--clear-groups', '--']
  return { program: 'setpriv', args: [...owner, program, ...args], cwd: path }
}
