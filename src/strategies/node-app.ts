import { join, resolve } from 'node:path'

import { chooseJson, inspectGit, rawPathOf, type Host, type PlannedSource } from '#sources'
import { composePlan } from './compose-plan.ts'
import { withinProject } from './generic.ts'
import { lookThrough } from './look-through.ts'
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
 * A Node.js application: its files without what `npm install` and tools make again, its SQLite and JSON databases, its
 * settings and keys in `config/`, its git history as a bundle.
 */
export const nodeApp: Strategy = {
  detect: detectNodeApp,

  async plan(project, host, signal) {
    const path = resolve(project.path)
    const known = project.files ? [] : madeAgain
    const look = await lookThrough({ ...project, path }, [...known, 'node_modules/', ...project.leaveOut], host, signal)
    const git = await inspectGit(host, path, signal)
    const json = [...new Set([...look.configuredJson, ...(await chooseJson(host, look.json))])].sort()
    const secrets = look.secrets
    const databases = json.filter((database) => !withinProject(path, [database]).some((file) => secrets.includes(file)))
    const leaveGitOut = git !== undefined && git.notInBundle.length === 0
    const sources: PlannedSource[] = [
      {
        kind: 'files',
        options: {
          path,
          ...(project.files && {
            wanted: [...project.files, ...(git && !leaveGitOut ? ['.git'] : [])],
            besides: withinProject(path, look.sqlite, databases),
          }),
          leaveOut: [...known, ...(leaveGitOut ? ['/.git/'] : []), ...project.leaveOut],
        },
      },
      { kind: 'sqlite', options: { path, databases: look.sqlite } },
      { kind: 'json', options: { path, databases, counted: true } },
      { kind: 'secrets', options: { path, files: secrets } },
    ]
    if (git) sources.push({ kind: 'git', options: { ...git, alsoInFiles: !leaveGitOut } })
    return composePlan(sources, look.leftOut, look.findings)
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
