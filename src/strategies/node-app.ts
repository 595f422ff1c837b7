import { join, resolve } from 'node:path'

import { rawPathOf, type Host } from '#sources'
import { findNodeDatabases } from './node/databases.ts'
import { planCode } from './plan-code.ts'
import type { Detection, Strategy } from './strategy.ts'

/**
 * What tools make again by themselves. A name that an upload could have counts in the project's own folder only: to take
 * too much costs space, to take too little costs data. Builds (`dist`, `build`, `.output`) stay in, because what was
 * deployed cannot always be built again.
 */
const madeAgain = [
  'node_modules/',
  '.next/cache/',
  '.nuxt/',
  '.turbo/',
  '.parcel-cache/',
  '.svelte-kit/',
  '.vite/',
  '.nyc_output/',
  '.eslintcache',
  '/.cache/',
  '/.npm/',
  '/.pnpm-store/',
  '/.yarn/cache/',
  '/coverage/',
  '/tmp/',
  '/*.log',
  '/logs/**/*.log',
  '/log/**/*.log',
  '/*.pid',
  '/pids/*.pid',
  'npm-debug.log*',
  'yarn-debug.log*',
  'yarn-error.log*',
  '.pnpm-debug.log*',
] as const

/**
 * A Node.js application: its files without what `npm install` and tools make again, dumps of the databases that its settings
 * name, its SQLite and JSON databases, its settings and keys in `config/`, its git history as a bundle.
 */
export const nodeApp: Strategy = {
  detect: detectNodeApp,

  async plan(project, host, signal) {
    const path = resolve(project.path)
    const { servers, findings } = await findNodeDatabases(path, host)
    return planCode(
      { ...project, path },
      { madeAgain, notLookedInto: ['node_modules/'], servers, findings },
      host,
      signal,
    )
  },
}

async function detectNodeApp(path: string, host: Host): Promise<Detection> {
  const settings = settingsIn(await host.findText(rawPathOf(join(path, 'package.json'))))
  if (!settings) return { confidence: 0, reasons: [] }
  if (await host.kindAt(rawPathOf(join(path, 'artisan'))))
    return { confidence: 0.2, reasons: ['package.json, but artisan too'] }
  const reasons = ['package.json']
  let confidence = 0.6
  const { dependencies, scripts } = settings
  if (typeof scripts?.start === 'string') {
    confidence += 0.2
    reasons.push('a start script')
  }
  if (dependencies && Object.keys(dependencies).length > 0) {
    confidence += 0.1
    reasons.push('dependencies')
  }
  return { confidence, reasons }
}

function settingsIn(text = ''): { dependencies?: object; scripts?: { start?: unknown } } | undefined {
  try {
    const settings: unknown = JSON.parse(text)
    return settings !== null && typeof settings === 'object' && !Array.isArray(settings) ? settings : undefined
  } catch {
    return undefined // because a package.json that is none says nothing about a project
  }
}
