import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { formatBytes, formatSeconds } from '#base'
import { writeConfiguration } from './configuration.ts'
import { differencesOf, filesIn, fingerprintOf, overlaid, unchangedIn, type TreeFingerprint } from './fingerprint.ts'
import { historyInBundle, historyOf, isGitCheckout, type History } from './history.ts'
import { heading, isProgram, say, sayTable } from './shell.ts'
import { inspectShop, makeShop, openShop, readRows, shopDatabase, type Rows } from './shop.ts'
import { program, Stage, type Done } from './stage.ts'
import { changeUploads, makeUploads } from './uploads.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Folders of the demo, below its own. */
const shop = 'projects/shop'
const uploads = 'projects/uploads'

/** More than the notes that a run adds to a snapshot, less than any file of the projects that is worth a name. */
const nothingBytes = 64 * 1024

/** Plays the demo from the first to the last step. @returns how many comparisons did not hold. */
export async function runDemo(signal: AbortSignal): Promise<number> {
  const began = performance.now()
  const stage = new Stage(mkdtempSync(join(tmpdir(), 'bewaar-demo-')), signal)
  say(`Bewaar's demo, in ${stage.folder}`)
  const before = prepare(stage)
  await backUp(stage)
  await copyAndVerify(stage)
  await restoreIntoFolders(stage, before)
  await restoreInPlace(stage)
  await restoreWithRestic(stage)
  await refuseWrongPassword(stage)
  return sumUp(stage, (performance.now() - began) / 1000)
}

/** The working copy as it is before anything is done: its files, and its `.git`, which is empty where there is none. */
interface WorkingCopy {
  readonly files: TreeFingerprint
  readonly git: TreeFingerprint
}

function lookAtWorkingCopy(): WorkingCopy {
  const git = join(repository, '.git')
  return {
    files: fingerprintOf(repository, isLeftOutOfRepository),
    git: isGitCheckout(repository) ? fingerprintOf(git) : new Map(),
  }
}

function prepare({ folder }: Stage): WorkingCopy {
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

async function backUp(stage: Stage): Promise<void> {
  const { folder } = stage
  heading('Back up, while the shop is at work')
  await stage.bewaar(['init'], 'repositories in both vaults')
  const { first, atFirst } = await runWhileWorking(stage)
  await stage.bewaar(
    ['restore', '--project=shop', '--only=database', '--to=restored/shop-at-work'],
    'the databases of the shop',
  )
  const { orders, contradictions } = inspectShop(join(folder, 'restored/shop-at-work/files'))
  stage.compare(
    'shop, backed up at work',
    `of one moment: ${orders.toLocaleString('en')} orders agree with ledger and lines`,
    contradictions,
  )
  const [then, now] = ['restored/shop-at-work/files', shop].map((path) =>
    readRows(join(folder, path, shopDatabase), orders),
  )
  stage.compare(
    'shop, backed up at work',
    `${countRows(then!)} rows equal those in the shop`,
    rowDifferences(now!, then!),
  )
  if (orders < atFirst) stage.compare('shop, backed up at work', 'no order is lost', [`${atFirst - orders} orders are`])

  heading('Back up what changed, then back up again')
  changeUploads(join(folder, uploads))
  appendFileSync(join(folder, shop, 'src/shop.js'), "console.log('and open late')\n")
  say('\n  Changed: a file grew, one is new, one has another mode; the shop has new orders and edited code.')
  const second = await stage.bewaar(['run'], '')
  const third = await stage.bewaar(['run'], '')
  const backups = await listed(stage)
  const addedBy = (run: number): string => {
    const added = backups.filter(({ vault }) => vault === 'hot').slice(3 * run, 3 * run + 3)
    return `${formatBytes(added.reduce((sum, one) => sum + one.added, 0))} added`
  }
  first.result = `everything, with the shop at work: ${addedBy(2)}`
  second.result = `what had changed: ${addedBy(1)}`
  third.result = `nothing had changed: ${addedBy(0)}`
  const added = ['source', 'shop', 'uploads'].map((project) => backups.find((one) => one.project === project)!)
  stage.compare(
    'unchanged projects',
    `a run adds nothing but its own notes: ${added.map(({ project, added }) => `${project} ${formatBytes(added)}`).join(', ')}`,
    added.filter((one) => one.added > nothingBytes).map(({ project, added }) => `${project} took ${added} bytes`),
  )
}

/** @returns the run, and how many orders there were when it began. */
async function runWhileWorking(stage: Stage): Promise<{ first: Done; atFirst: number }> {
  await using open = await openShop(join(stage.folder, shop))
  const before = await open.work()
  const rows = readRows(join(stage.folder, shop, shopDatabase))['orders']!.rows
  const first = await stage.bewaar(['run'], '')
  const after = await open.stop()
  const orders = (after.orders - before.orders).toLocaleString('en')
  say(`  Meanwhile the shop took ${orders} orders and wrote its JSON files ${after.rewrites - before.rewrites} times.`)
  return { first, atFirst: rows }
}

interface Listed {
  readonly project: string
  readonly vault: string
  readonly snapshot: string
  readonly added: number
}

/** Newest first. */
async function listed(stage: Stage): Promise<readonly Listed[]> {
  return JSON.parse((await stage.quietly(['list', '--json'])).stdout) as Listed[]
}

async function copyAndVerify(stage: Stage): Promise<void> {
  heading('Bring the archive up to date, read everything back')
  await stage.bewaar(['copy'], 'the archive has what the hot vault has')
  const backups = await listed(stage)
  const [hot, archive] = ['hot', 'archive'].map((vault) => backups.filter((one) => one.vault === vault).length)
  stage.compare(
    'copies',
    `${archive} backups in the archive, as in the hot vault`,
    hot === archive ? [] : [`${hot} in hot`],
  )
  await stage.bewaar(['verify', '--share=100%'], 'every byte in both vaults is sound')
  await stage.bewaar(['list', '--vault=hot'], `${hot} backups`)
}

async function restoreIntoFolders(stage: Stage, before: WorkingCopy): Promise<void> {
  const { folder } = stage
  heading('Restore into folders, and compare')
  await stage.bewaar(['restore', '--project=source', '--to=restored/source'], 'into a folder')
  compareWorkingCopy(stage, before, lookAtWorkingCopy(), join(folder, 'restored/source'))

  await stage.bewaar(['restore', '--project=shop', '--to=restored/shop'], 'into a folder')
  const sound = fingerprintOf(join(folder, shop), isLeftOutOfShop)
  compareTrees(stage, 'shop', sound, contentOf(join(folder, 'restored/shop'), isLeftOutOfShop))
  compareRows(stage, 'shop', readRows(join(folder, shop, shopDatabase)), 'restored/shop/files')
  const history = historyOf(join(folder, shop))
  if (history.commits > 0) compareHistory(stage, 'shop', history, 'restored/shop/git/repository.bundle')

  const fromArchive = ['restore', '--project=uploads', '--vault=archive', '--to=restored/uploads']
  await stage.bewaar(fromArchive, 'into a folder, from the archive')
  const expected = fingerprintOf(join(folder, uploads))
  compareTrees(stage, 'uploads', expected, fingerprintOf(join(folder, 'restored/uploads/files')))
  const [source, copy] = [uploads, 'restored/uploads/files'].map((path) =>
    lstatSync(join(folder, path, 'large/sparse.img')),
  )
  const sizes = `${formatBytes(copy!.size)} and takes ${formatBytes(copy!.blocks * 512)} of the disk`
  const isSparse = copy!.blocks <= source!.blocks + 2048
  stage.compare(
    'uploads',
    `the sparse file has ${sizes}`,
    isSparse ? [] : [`it took ${formatBytes(source!.blocks * 512)}`],
  )
}

/** What somebody changed while the demo ran is in no one state, so it is counted and not compared. */
function compareWorkingCopy(stage: Stage, before: WorkingCopy, now: WorkingCopy, restored: string): void {
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

async function restoreInPlace(stage: Stage): Promise<void> {
  const { folder } = stage
  heading('Damage the projects, and restore them in place')
  const sound = fingerprintOf(join(folder, shop), isLeftOutOfShop)
  const soundUploads = fingerprintOf(join(folder, uploads))
  const rows = readRows(join(folder, shop, shopDatabase))
  const history = historyOf(join(folder, shop))
  damage(folder)
  say('\n  Damaged: the shop lost .env, .git, its uploads and half of its database; the uploads lost two folders,')
  say('  and got other bytes, another mode, and a file that was not there.')
  await stage.bewaar(['restore', '--project=shop', '--yes'], 'in place')
  compareTrees(stage, 'shop, in place', sound, fingerprintOf(join(folder, shop), isLeftOutOfShop))
  compareRows(stage, 'shop, in place', rows, shop)
  if (history.commits > 0) compareHistory(stage, 'shop, in place', history)
  await stage.bewaar(['restore', '--project=uploads', '--yes'], 'in place')
  const after = fingerprintOf(join(folder, uploads))
  compareTrees(stage, 'uploads, in place', soundUploads, after, (path) => path === 'stray')
  stage.compare('uploads, in place', 'what was not in the backup stays', after.has('stray') ? [] : ['"stray" is gone'])
}

function damage(folder: string): void {
  const inShop = (path: string): string => join(folder, shop, path)
  for (const path of ['.env', '.git', 'uploads']) rmSync(inShop(path), { recursive: true, force: true })
  writeFileSync(inShop(shopDatabase), Buffer.alloc(500_000, 'garbage '), { flag: 'r+' })
  writeFileSync(inShop(`${shopDatabase}-wal`), Buffer.alloc(100_000, 'a journal of something else '))
  writeFileSync(inShop('data/clients.json'), '[]')
  const inUploads = (path: string): string => join(folder, uploads, path)
  for (const path of ['names', 'deep']) rmSync(inUploads(path), { recursive: true })
  chmodSync(inUploads('read only'), 0o777)
  writeFileSync(inUploads('large/photos.bin'), Buffer.alloc(1000), { flag: 'r+' })
  rmSync(inUploads('link to a file'))
  writeFileSync(inUploads('link to a file'), 'no link any more\n')
  writeFileSync(inUploads('stray'), 'made after the backup\n')
}

async function restoreWithRestic(stage: Stage): Promise<void> {
  heading('Restore without Bewaar')
  if (!isProgram('restic')) return say('\n  restic is not on this machine; with it, this would be done by restic too.')
  const env = { RESTIC_REPOSITORY: 'vaults/hot/uploads', RESTIC_PASSWORD_FILE: 'vault.password' }
  await stage.other('restic', ['--no-cache', 'check', '--read-data'], env, 'sound')
  await stage.other(
    'restic',
    ['--no-cache', 'restore', 'latest', '--target', 'restored/uploads-by-restic'],
    env,
    'into a folder',
  )
  const [ours, theirs] = ['restored/uploads/files', 'restored/uploads-by-restic/files'].map((path) =>
    fingerprintOf(join(stage.folder, path)),
  )
  compareTrees(stage, 'uploads, by restic', ours!, theirs!)
}

async function refuseWrongPassword(stage: Stage): Promise<void> {
  heading('Try a wrong password')
  const args = ['restore', '--project=shop', '--to=restored/never', '--config=wrong.yaml']
  const { stdout } = await stage.bewaar(args, 'refused', 12)
  stage.compare(
    'wrong password',
    'refused with exit code 12, and nothing is on standard output',
    stdout === '' ? [] : [stdout],
  )
}

function sumUp(stage: Stage, seconds: number): number {
  const { folder, done, comparisons } = stage
  heading('What was done')
  sayTable(
    ['COMMAND', 'TIME', 'RESULT'],
    done.map((one) => [one.command, formatSeconds(one.seconds), one.result]),
  )
  heading('What was compared: bytes, names, modes, owners, times in nanoseconds, links, attributes; rows; references')
  sayTable(
    ['WHAT', 'RESULT', 'HELD'],
    comparisons.map((one) => [one.what, one.with, one.holds ? 'yes' : 'NO']),
  )
  heading('Where it lies')
  sayTable(
    ['FOLDER', 'SIZE', 'WHAT'],
    [
      [join(folder, 'projects'), stage.sizeOf('projects'), 'the shop and the uploads'],
      [join(folder, 'vaults/hot'), stage.sizeOf('vaults/hot'), 'a restic repository for each project'],
      [join(folder, 'vaults/archive'), stage.sizeOf('vaults/archive'), 'copies of them'],
      [join(folder, 'restored'), stage.sizeOf('restored'), 'what was restored into folders'],
      [join(folder, 'bewaar.yaml'), '', 'the configuration'],
    ],
  )
  heading('Try next')
  const bewaar = program.replace(`${process.cwd()}/`, '')
  for (const [command, what] of [
    ['list', 'every backup'],
    ['run --project=shop --dry-run', 'what a run takes'],
    ['restore --project=shop --dry-run', 'what a restore would do'],
    ['verify --share=10%', 'reads a tenth back'],
    ['logs', 'what happened'],
    ['config', 'the configuration as it is understood'],
  ]) {
    say(`  ${bewaar} ${command} --config=${folder}/bewaar.yaml   # ${what}`)
  }
  say(`  rm -r ${folder}   # when you have seen enough`)

  const failed = comparisons.filter(({ holds }) => !holds).length
  const all = comparisons.length
  say(
    failed === 0
      ? `\nAll ${all} comparisons held. ${formatSeconds(seconds)} in all.`
      : `\n${failed} of ${all} comparisons did not hold. ${formatSeconds(seconds)} in all.`,
  )
  return failed
}

/** A backup's parts as one tree, as they lie in the project: settings and keys have a folder of their own in it. */
function contentOf(backup: string, isLeftOut?: (path: string) => boolean): TreeFingerprint {
  return overlaid(fingerprintOf(join(backup, 'files'), isLeftOut), configOf(backup))
}

function configOf(backup: string): TreeFingerprint {
  try {
    return new Map([...fingerprintOf(join(backup, 'config'))].filter(([, { type }]) => type !== 'folder'))
  } catch {
    return new Map() // because a project without settings has no such folder in its backup
  }
}

function compareTrees(
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

function compareRows(stage: Stage, what: string, expected: Rows, restored: string): void {
  const actual = readRows(join(stage.folder, restored, shopDatabase))
  stage.compare(what, `${countRows(expected)} rows, row for row`, rowDifferences(expected, actual))
}

function rowDifferences(expected: Rows, actual: Rows): string[] {
  return Object.entries(expected).flatMap(([table, { rows, sha256 }]) => {
    const found = actual[table]
    if (found?.sha256 === sha256) return []
    return [
      `table ${table}: ${found?.rows ?? 0} rows, and ${rows} must be there${found?.rows === rows ? '; their content differs' : ''}`,
    ]
  })
}

function countRows(content: Rows): string {
  return Object.values(content)
    .reduce((sum, { rows }) => sum + rows, 0)
    .toLocaleString('en')
}

/** @param bundle - absolute or in the folder of the demo; absent: the shop's own `.git`. */
function compareHistory(stage: Stage, what: string, expected: History, bundle?: string): void {
  const actual =
    bundle === undefined ? historyOf(join(stage.folder, shop)) : historyInBundle(resolve(stage.folder, bundle))
  const isSame = expected.commits === actual.commits && expected.references === actual.references
  const text = `history of ${counted(expected.commits, 'commit')}, every branch and tag`
  stage.compare(what, text, isSame ? [] : [`it has ${actual.commits} commits, or other references`])
}

/** What is in no backup of a Node.js application, or is in it as a bundle. */
function isLeftOutOfRepository(path: string): boolean {
  return path.split('/').includes('node_modules') || /^(\.git|\.cache|coverage|tmp)$|\.log$/.test(path)
}

function isLeftOutOfShop(path: string): boolean {
  return path === '.git' || path === '.cache' || path === 'node_modules' || path.startsWith(shopDatabase)
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
