import assert from 'node:assert/strict'
import { chownSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Secret } from '#base'
import { stockRestic, type StockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { backUpWithRestic, remove } from './battery.ts'
import { assertSameTree } from './compare.ts'
import { placeInMemory } from './place.ts'
import { programIn, type Program } from './program.ts'
import { getTree } from './trees.ts'

const password = new Secret('password of a vault, with spaces')

const withFalseDatabase = 'files that are named as databases and are none'

/** Those in which the program itself does more than the engine: it surveys, looks into databases, and shows names. */
const titles = [
  'names that are not UTF-8',
  'names with line ends, tabs and other control characters',
  'the names that a snapshot of ours has',
  'the names that a repository has, and those of files half written',
  withFalseDatabase,
  'hard links across folders, met before and after their fellows',
  'default access control lists, and what inherits them',
  'everything but a socket',
  'nothing at all',
] as const

interface RunReport {
  readonly project: string
  readonly status: string
  readonly snapshot: string
  readonly bytesRead: number
  readonly findings: readonly { readonly severity: string; readonly subject: string; readonly text: string }[]
}

describe('the program as people run it', { skip: needs('restic', 'rsync', 'setfattr', 'setfacl') }, () => {
  let restic: StockRestic
  let program: Program
  const sources: Record<string, string> = {}
  before(async () => {
    restic = await stockRestic(password, placeInMemory())
    for (const [nth, title] of titles.entries()) {
      const source = join(restic.scratch, 'projects', `project-${nth}`)
      mkdirSync(source, { recursive: true })
      getTree(title).build(source)
      sources[`project-${nth}`] = source
    }
    program = programIn(join(restic.scratch, 'bewaar'), { projects: sources, password })
    await program.run('init')
  })
  after(() => remove(restic.scratch))

  test('backs all projects up in one run, and says what is no database although it begins like one', async () => {
    const reports = (await program.json(['run'], 3)) as RunReport[]
    assert.deepEqual(
      reports.map(({ status }) => status),
      titles.map((title) => (title === withFalseDatabase ? 'incomplete' : 'complete')),
    )
    const serious = reports.flatMap(({ findings }) => findings.filter(({ severity }) => severity !== 'notice'))
    assert.deepEqual(
      serious.map(({ subject }) => subject),
      [join(sources[`project-${titles.indexOf(withFalseDatabase)}`]!, 'data/db.sqlite')],
    )
  })

  test('reads nothing again that did not change', async () => {
    const reports = (await program.json(['run'], 3)) as RunReport[]
    for (const [nth, { bytesRead }] of reports.entries()) {
      const title = titles[nth]!
      // because files that may be databases are read each time
      if (title !== withFalseDatabase) assert.ok(bytesRead < 4000, `${title}: ${bytesRead} bytes are no manifest`)
    }
  })

  test('finds all of it sound', async () => {
    const { status, findings } = (await program.json(['verify'])) as { status: string; findings: unknown[] }
    assert.deepEqual([status, findings], ['sound', []])
  })

  for (const [nth, title] of titles.entries()) {
    const project = `project-${nth}`
    const { leftOut = [], needs: needed = [] } = getTree(title)

    test(`${title}: restic agrees, and both restore what either wrote`, { skip: needs(...needed) }, async () => {
      const source = sources[project]!
      const target = (name: string): string => join(restic.scratch, 'restored', project, name)
      const repository = program.repositoryOf(project)

      await program.json(['restore', `--project=${project}`, `--to=${target('by us')}`])
      assertSameTree(source, join(target('by us'), 'files'), { leftOut })
      await restic.run('-r', repository, 'restore', 'latest', '--target', target('by restic'))
      assertSameTree(source, join(target('by restic'), 'files'), { leftOut })

      const theirs = await backUpWithRestic(restic, '-r', repository, source)
      assert.equal(theirs.data_blobs, 0)
      const id = theirs.snapshot_id
      await program.json(['restore', `--project=${project}`, `--snapshot=${id}`, `--to=${target("restic's")}`])
      assertSameTree(source, join(target("restic's"), source), { leftOut })
      assert.match(await restic.run('-r', repository, 'check', '--read-data'), /no errors were found/)
    })
  }
})

test(
  'what may not be read is named, and the run is incomplete',
  { skip: needs('restic', 'rsync', 'root') },
  async () => {
    await using restic = await stockRestic(password, placeInMemory())
    const nobody = 65_534
    const source = join(restic.scratch, 'project')
    mkdirSync(join(source, 'closed/inner'), { recursive: true })
    mkdirSync(join(source, 'open'))
    for (const file of ['closed/inner/file', 'open/file', 'open/secret', 'secret\nfile'])
      writeFileSync(join(source, file), file)
    for (const path of ['closed', 'open/secret', 'secret\nfile']) chmodSync(join(source, path), 0)
    const home = join(restic.scratch, 'bewaar')
    mkdirSync(home)
    chownSync(home, nobody, nobody)
    chmodSync(restic.scratch, 0o711)
    const program = programIn(home, { projects: { project: source }, password, uid: nobody })
    await program.json(['init'])

    const [report] = (await program.json(['run'], 3)) as RunReport[]
    assert.equal(report!.status, 'incomplete')
    assert.deepEqual(
      report!.findings.map(({ subject, text }) => `${subject}: ${text}`),
      ['files/closed', 'files/open/secret', 'files/secret\\nfile'].map(
        (path) => `${path}: may not be read by this user`,
      ),
    )
    const again = (await program.json(['run'], 3)) as RunReport[]
    assert.equal(again[0]!.findings.length, 3)
    await restic.run(
      '-r',
      program.repositoryOf('project'),
      'restore',
      'latest',
      '--target',
      join(restic.scratch, 'out'),
    )
    remove(join(source, 'closed'))
    remove(join(source, 'open/secret'))
    remove(join(source, 'secret\nfile'))
    const there = (
      await restic.run('-r', program.repositoryOf('project'), 'ls', '--recursive', 'latest', '/files')
    ).split('\n')
    assert.deepEqual(
      there.filter((line) => line.startsWith('/')),
      ['/files', '/files/open', '/files/open/file'],
    )
  },
)
