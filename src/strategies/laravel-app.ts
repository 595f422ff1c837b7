import { resolve } from 'node:path'

import { rawPathOf, type Host, type RawPath } from '#sources'
import { findLaravelDatabases } from './laravel/connections.ts'
import { laravelVersionOf, readComposer } from './laravel/composer.ts'
import { findLaravelFolders, withoutLinks } from './laravel/folders.ts'
import { leftOutOfLaravel, leftOutOfStorage } from './laravel/made-again.ts'
import { readLaravelSettings } from './laravel/settings.ts'
import { planCode } from './plan-code.ts'
import type { Detection, Strategy } from './strategy.ts'

/**
 * A Laravel application, understood from its own `.env` and settings: dumps of the databases it uses, its files with all
 * local disks wherever they lie, settings and keys in `config/`, its git history as a bundle; without what Laravel,
 * Composer and npm make again.
 */
export const laravelApp: Strategy = {
  detect: detectLaravelApp,

  async plan(project, host, signal) {
    const path = resolve(project.path)
    const settings = await readLaravelSettings(path, host)
    const databases = await findLaravelDatabases(settings, host)
    const home = await withoutLinks(path, host, signal)
    const folders = await findLaravelFolders(settings, home, host, signal)
    const storages = await Promise.all(folders.elsewhere.map((folder) => isStorage(folder, host)))
    const data = [`${path}/storage`, ...folders.elsewhere].map((folder) => rawPathOf(`${folder}/`))
    return planCode(
      { ...project, path },
      {
        madeAgain: leftOutOfLaravel,
        notLookedInto: ['/vendor/', 'node_modules/', '/storage/framework/'],
        isJsonDatabase: (file) => project.files === undefined && data.some((folder) => isData(folder, file)),
        servers: databases.servers,
        sqlite: databases.sqlite,
        elsewhere: folders.elsewhere.map((folder, nth) => ({
          path: folder,
          leaveOut: storages[nth] ? leftOutOfStorage : [],
        })),
        leavesOut: [...databases.leavesOut, ...folders.leavesOut],
        findings: [...settings.findings, ...databases.findings, ...folders.findings],
      },
      host,
      signal,
    )
  },
}

/** What the framework keeps for itself is no data, also where its storage lies elsewhere. */
function isData(folder: RawPath, file: RawPath): boolean {
  return file.startsWith(folder) && !/^(?:framework|logs)\//.test(file.slice(folder.length))
}

async function isStorage(folder: string, host: Host): Promise<boolean> {
  const kinds = await Promise.all(['app', 'framework'].map((name) => host.kindAt(rawPathOf(`${folder}/${name}`))))
  return kinds.every((kind) => kind === 'dir')
}

async function detectLaravelApp(path: string, host: Host): Promise<Detection> {
  const at = (name: string) => host.kindAt(rawPathOf(`${resolve(path)}/${name}`))
  const composer = await readComposer(path, host)
  const version = composer && laravelVersionOf(composer)
  const reasons: string[] = []
  let confidence = 0
  if ((await at('artisan')) === 'file') {
    reasons.push('artisan')
    confidence += 0.6
  }
  if (version !== undefined) {
    reasons.push(`composer.json requires laravel/framework ${version}`)
    confidence += composer?.type === 'library' ? 0.1 : 0.3
  }
  if (reasons.length === 0) return { confidence: 0, reasons }
  if ((await at('bootstrap/app.php')) === 'file') {
    reasons.push('bootstrap/app.php')
    confidence += 0.08
  }
  return { confidence: Math.round(Math.min(confidence, 0.99) * 100) / 100, reasons }
}
