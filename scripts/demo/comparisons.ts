import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { formatBytes } from '#base'
import { differencesOf, filesIn, fingerprintOf, overlaid, unchangedIn, type TreeFingerprint } from './fingerprint.ts'
import { historyInBundle, historyOf, type History } from './history.ts'
import { counted, isLeftOutOfRepository, repository, shop, type WorkingCopy } from './projects.ts'
import { say } from './shell.ts'
import { readRows, shopDatabase, type Rows } from './shop.ts'
import type { Stage } from './stage.ts'

/** A backup's parts as one tree, as they lie in the project: settings and keys have a folder of their own in it. */
export function contentOf(backup: string, isLeftOut?: (path: string) => boolean): TreeFingerprint {
  return overlaid(fingerprintOf(join(backup, 'files'), isLeftOut), configOf(backup))
}

function configOf(backup: string): TreeFingerprint {
  try {
    return new Map([...fingerprintOf(join(backup, 'config'))].filter(([, { type }]) => type !== 'folder'))
  } catch {
    return new Map() // because a project without settings has no such folder in its backup
  }
}

export function compareTrees(
  stage: Stage,
  what: string,
  expected: TreeFingerprint,
  actual: TreeFingerprint,
  isExtra?: (path: string) => boolean,
): void {
  const { files, bytes } = filesIn(expected)
  const links = [...expected.values()].filter(({ type }) => type === 'symbolic link').length
  const others = expected.size - files - links
  const text = `${files} files (${formatBytes(bytes)}), ${links} links, ${others} folders and others: all the same`
  stage.compare(what, text, differencesOf(expected, actual, isExtra))
}

export function compareRows(stage: Stage, what: string, expected: Rows, restored: string): void {
  const actual = readRows(join(stage.folder, restored, shopDatabase))
  stage.compare(what, `${countRows(expected)} rows, row for row`, rowDifferences(expected, actual))
}

export function rowDifferences(expected: Rows, actual: Rows): string[] {
  return Object.entries(expected).flatMap(([table, { rows, sha256 }]) => {
    const found = actual[table]
    if (found?.sha256 === sha256) return []
    return [
      `table ${table}: ${found?.rows ?? 0} rows, and ${rows} must be there${found?.rows === rows ? '; their content differs' : ''}`,
    ]
  })
}

export function countRows(content: Rows): string {
  return Object.values(content)
    .reduce((sum, { rows }) => sum + rows, 0)
    .toLocaleString('en')
}

/** @param bundle - absolute or in the folder of the demo; absent: the shop's own `.git`. */
export function compareHistory(stage: Stage, what: string, expected: History, bundle?: string): void {
  const actual =
    bundle === undefined ? historyOf(join(stage.folder, shop)) : historyInBundle(resolve(stage.folder, bundle))
  const isSame = expected.commits === actual.commits && expected.references === actual.references
  const text = `history of ${counted(expected.commits, 'commit')}, every branch and tag`
  stage.compare(what, text, isSame ? [] : [`it has ${actual.commits} commits, or other references`])
}

/** What somebody changed while the demo ran is in no one state, so it is counted and not compared. */
export function compareWorkingCopy(stage: Stage, before: WorkingCopy, now: WorkingCopy, restored: string): void {
  const isKnown = (path: string): boolean => before.files.has(path) || now.files.has(path)
  const steady = unchangedIn(before.files, now.files)
  const found = contentOf(restored, isLeftOutOfRepository)
  compareTrees(stage, 'this repository', steady, found, isKnown)
  const touched = before.files.size + now.files.size - 2 * steady.size
  if (touched > 0) say(`        not compared, because somebody changed them while the demo ran: ${touched} entries`)
  if (before.git.size === 0) return
  const bundle = join(restored, 'git/repository.bundle')
  if (existsSync(bundle)) return compareHistory(stage, 'this repository', historyOf(repository), bundle)
  compareTrees(
    stage,
    'this repository, .git',
    unchangedIn(before.git, now.git),
    fingerprintOf(join(restored, 'files/.git')),
  )
}
