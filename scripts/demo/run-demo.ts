import { appendFileSync, chmodSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { formatBytes } from '#base'
import {
  compareHistory,
  compareRows,
  compareTrees,
  compareWorkingCopy,
  contentOf,
  countRows,
  rowDifferences,
} from './comparisons.ts'
import { backUpDatabases } from './databases.ts'
import { fingerprintOf } from './fingerprint.ts'
import { historyOf } from './history.ts'
import { isLeftOutOfShop, lookAtWorkingCopy, prepareProjects, shop, uploads, type WorkingCopy } from './projects.ts'
import { heading, isProgram, say } from './shell.ts'
import { inspectShop, openShop, readRows, shopDatabase } from './shop.ts'
import { Stage, type Done } from './stage.ts'
import { sumUp } from './sum-up.ts'
import { changeUploads } from './uploads.ts'

/** More than the notes that a run adds to a snapshot, less than any file of the projects that is worth a name. */
const nothingBytes = 64 * 1024

/** Plays the demo from the first to the last step. @returns how many comparisons did not hold. */
export async function runDemo(signal: AbortSignal): Promise<number> {
  const began = performance.now()
  const stage = new Stage(mkdtempSync(join(tmpdir(), 'bewaar-demo-')), signal)
  say(`Bewaar's demo, in ${stage.folder}`)
  const before = prepareProjects(stage)
  await backUp(stage)
  await copyAndVerify(stage)
  await restoreIntoFolders(stage, before)
  await restoreInPlace(stage)
  await backUpDatabases(stage)
  await restoreWithRestic(stage)
  await refuseWrongPassword(stage)
  return sumUp(stage, (performance.now() - began) / 1000)
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
    ['--no-cache', 'restore', 'latest', '--tag', 'project:uploads', '--target', 'restored/uploads-by-restic'],
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
