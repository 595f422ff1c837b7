import { resolve } from 'node:path'

import { rawPathOf, type Host } from '#sources'
import { laravelVersionOf, readComposer } from './laravel/composer.ts'
import { leftOutOfLaravel } from './laravel/made-again.ts'
import { planCode } from './plan-code.ts'
import type { Detection, Strategy } from './strategy.ts'

/** Where a package keeps what it guards. */
const vaults = ['vault', 'storage/vault'] as const

/**
 * A Laravel package: its source, its complete git history as a bundle, its vault folder, settings and keys in `config/`;
 * without what Composer and npm make again. A server's database is taken when the configuration names it: a package has
 * none of its own.
 */
export const laravelPackage: Strategy = {
  detect: detectLaravelPackage,

  async plan(project, host, signal) {
    const path = resolve(project.path)
    const storage = rawPathOf(`${path}/storage/`)
    const inVault = vaults.map((folder) => rawPathOf(`${path}/${folder}/`))
    return planCode(
      { ...project, path },
      {
        madeAgain: [...leftOutOfLaravel, '/build/', '/coverage/', '/workbench/vendor/'],
        notLookedInto: ['/vendor/', 'node_modules/'],
        always: vaults,
        isJsonDatabase: (database) =>
          inVault.some((folder) => database.startsWith(folder)) ||
          (project.files === undefined && database.startsWith(storage)),
      },
      host,
      signal,
    )
  },
}

async function detectLaravelPackage(path: string, host: Host): Promise<Detection> {
  const composer = await readComposer(path, host)
  if (!composer) return { confidence: 0, reasons: [] }
  const reasons: string[] = []
  let confidence = 0
  if (composer.isLaravelPackage) {
    reasons.push('composer.json names providers for Laravel')
    confidence += 0.7
  }
  if (Object.keys(composer.require).some((name) => name.startsWith('illuminate/')) || laravelVersionOf(composer)) {
    reasons.push('composer.json requires parts of Laravel')
    confidence += composer.type === 'library' || composer.isLaravelPackage ? 0.2 : 0.1
  }
  if (composer.type === 'library') {
    reasons.push('it is a library')
    confidence += confidence > 0 ? 0.08 : 0
  }
  if (confidence === 0) return { confidence, reasons: [] }
  if ((await host.kindAt(rawPathOf(`${resolve(path)}/artisan`))) === 'file') {
    return { confidence: 0.15, reasons: [...reasons, 'but artisan too'] }
  }
  return { confidence: Math.round(Math.min(confidence, 0.98) * 100) / 100, reasons }
}
