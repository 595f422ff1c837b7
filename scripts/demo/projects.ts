import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { formatBytes } from '#base'
import { writeConfiguration } from './configuration.ts'
import { filesIn, fingerprintOf, type TreeFingerprint } from './fingerprint.ts'
import { historyOf, isGitCheckout } from './history.ts'
import { heading, isProgram, say, sayTable } from './shell.ts'
import { makeShop, shopDatabase } from './shop.ts'
import type { Stage } from './stage.ts'
import { makeUploads } from './uploads.ts'

/** The working copy that the demo runs in. */
export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Folders of the demo, below its own. */
export const shop = 'projects/shop'
export const uploads = 'projects/uploads'

/** The working copy as it is before anything is done: its files, and its `.git`, which is empty where there is none. */
export interface WorkingCopy {
  readonly files: TreeFingerprint
  readonly git: TreeFingerprint
}

export function lookAtWorkingCopy(): WorkingCopy {
  const git = join(repository, '.git')
  return {
    files: fingerprintOf(repository, isLeftOutOfRepository),
    git: isGitCheckout(repository) ? fingerprintOf(git) : new Map(),
  }
}

/** Makes the projects and the configuration, and says what they are. @returns the working copy as it was. */
export function prepareProjects({ folder }: Stage): WorkingCopy {
  const hasGit = isProgram('git')
  mkdirSync(join(folder, shop), { recursive: true })
  mkdirSync(join(folder, uploads), { recursive: true })
  const before = lookAtWorkingCopy()
  const { files, bytes } = filesIn(before.files)
  const rows = makeShop(join(folder, shop), repository, hasGit)
  const refused = makeUploads(join(folder, uploads))
  writeConfiguration(folder, repository)

  heading('The projects')
  const history = isGitCheckout(repository)
    ? hasGit
      ? `with its history of ${counted(historyOf(repository).commits, 'commit')}`
      : 'with its .git as it lies'
    : 'without a history, because it is no git checkout'
  const own = filesIn(fingerprintOf(join(folder, uploads)))
  sayTable(
    ['NAME', 'TYPE', 'WHAT IT IS'],
    [
      ['source', 'node-app', `this repository, ${history}: ${files} files, ${formatBytes(bytes)}`],
      [
        'shop',
        'node-app',
        `a shop: SQLite in WAL mode with ${rows.toLocaleString('en')} rows, JSON databases, .env and a key`,
      ],
      [
        'uploads',
        'generic',
        `${own.files} files with awkward names, links, modes and times, ${formatBytes(own.bytes)}`,
      ],
    ],
  )
  say('\n  Two vaults: "hot", which runs write to, and "archive", which gets copies.')
  if (!hasGit) say('  git is not on this machine, so the shop has no history.')
  for (const what of refused) say(`  This machine does not take ${what}; left out.`)
  return before
}

/** What is in no backup of a Node.js application, or is in it as a bundle. */
export function isLeftOutOfRepository(path: string): boolean {
  return path.split('/').includes('node_modules') || /^(\.git|\.cache|coverage|tmp)$|\.log$/.test(path)
}

export function isLeftOutOfShop(path: string): boolean {
  return path === '.git' || path === '.cache' || path === 'node_modules' || path.startsWith(shopDatabase)
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
