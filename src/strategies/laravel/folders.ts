import { posix } from 'node:path'

import { AppError } from '#base'
import { rawPathOf, type Host, type SourceFinding } from '#sources'
import { findIn, isArray } from './php-value.ts'
import { findSetting, isHidden, type LaravelSettings } from './settings.ts'

/** Folders and files of a Laravel application that do not lie in its own folder. */
export interface LaravelFolders {
  /** Absolute, without links. */
  readonly elsewhere: readonly string[]
  /** In words: disks that are not taken, and why. */
  readonly leavesOut: readonly string[]
  readonly findings: readonly SourceFinding[]
}

/** Where links of an application lead that are not its own data. */
const ofTheSystem = /^\/(?:usr|etc|proc|sys|dev|run|bin|sbin|lib|lib64|boot)(?:\/|$)|^\/$/

/**
 * Finds what belongs to an application and lies elsewhere: roots of local disks, the storage folder, and what links in
 * the usual places lead to (a deployment keeps `storage` and `.env` beside its releases).
 *
 * @param home - the application's folder without links.
 */
export async function findLaravelFolders(
  settings: LaravelSettings,
  home: string,
  host: Host,
  signal?: AbortSignal,
): Promise<LaravelFolders> {
  const { base } = settings
  const found = new Set<string>()
  const leavesOut: string[] = []
  const findings: SourceFinding[] = []
  const disks = findIn(settings.filesystems, 'disks')
  const candidates: { path: string; disk?: string }[] = []
  for (const [name, disk] of isArray(disks) ? disks.entries : []) {
    const driver = findSetting(disk, 'driver')
    const root = findSetting(disk, 'root')
    if (driver === 'local' && root !== undefined) candidates.push({ path: posix.resolve(base, root), disk: name })
    else if (driver === 'local' || (driver === undefined && isHidden(disk, 'driver'))) {
      const text = `The root of the disk ${name} is only known when the application runs; name the folder under \`files\``
      findings.push({ subject: `${base}/config/filesystems.php`, severity: 'warning', text })
    } else if (driver !== undefined && isInUse(name, disk, settings)) {
      leavesOut.push(`disk ${name}: it is elsewhere (${driver}), and nothing of it is taken`)
    }
  }
  const storage = settings.environment.get('LARAVEL_STORAGE_PATH')
  if (storage !== undefined && storage !== '') candidates.push({ path: posix.resolve(base, storage) })
  for (const path of await linksOf(base, host)) candidates.push({ path })

  for (const { path, disk } of candidates) {
    const isInside = isWithin(base, path)
    if (isInside && disk !== undefined && (await host.findStatus(rawPathOf(path)))?.kind !== 'symlink') continue
    const kind = await host.kindAt(rawPathOf(path))
    if (kind === undefined && disk !== undefined && !isInside) {
      const text = `It is the root of the disk ${disk}, and it is not there`
      findings.push({ subject: path, severity: 'warning', text })
    }
    if (kind !== 'dir' && kind !== 'file') continue
    const real = await withoutLinks(path, host, signal)
    // Because a folder that holds the application is not a part of it.
    if (!isWithin(home, real) && !isWithin(real, home) && !ofTheSystem.test(real)) found.add(real)
  }
  const elsewhere = [...found].filter((path) => ![...found].some((other) => other !== path && isWithin(other, path)))
  return { elsewhere: elsewhere.sort(), leavesOut, findings }
}

/** The path without links; as it is given where the host cannot tell. */
export async function withoutLinks(path: string, host: Host, signal?: AbortSignal): Promise<string> {
  try {
    const answer = await host.run({ program: 'readlink', args: ['-f', '--', path] }, signal)
    const real = answer.replace(/\n$/, '')
    return real.startsWith('/') ? real : path
  } catch (thrown) {
    signal?.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    return path
  }
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

/** Settings name disks of clouds that most applications never use. */
function isInUse(
  name: string,
  disk: Parameters<typeof findSetting>[0],
  { environment, filesystems }: LaravelSettings,
): boolean {
  const isDefault = findSetting(filesystems, 'default') === name || environment.get('FILESYSTEM_DRIVER') === name
  return isDefault || ['bucket', 'host', 'container'].some((key) => findSetting(disk, key) !== undefined)
}

/** Links in the folders where deployments and people put them. */
async function linksOf(base: string, host: Host): Promise<string[]> {
  const folders = ['', '/public', '/storage', '/storage/app', '/storage/app/public', '/storage/app/private']
  const links: string[] = []
  for (const folder of folders) {
    const path = base + folder
    if (folder !== '' && (await host.findStatus(rawPathOf(path)))?.kind !== 'dir') continue
    const entries = await host.list(rawPathOf(path)).catch(() => []) // because the archive reports what cannot be listed
    for (const { name, kind } of entries) {
      if (kind === 'symlink') links.push(`${path}/${Buffer.from(name, 'latin1').toString()}`)
    }
  }
  return links.sort()
}
