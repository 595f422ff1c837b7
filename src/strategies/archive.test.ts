import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { archive, createLocal } from '#engine'
import { memoryPassword, memoryRepository, stockRestic } from '#engine/testing'
import { dumpSources, localHost } from '#sources'
import { recordingContext, startScript, temporaryFolder } from '#sources/testing'
import { needs } from '../../tests/needs.ts'
import { getStrategy } from './table.ts'

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
    utimesSync(join(folder, name), 1_700_000_000.123456, 1_700_000_000.123456)
  }
}

/** Archives a project as a run does, and lets stock restic restore it. @returns the folder with what it restored. */
async function backUp(type: 'generic' | 'node-app', path: string, folder: string) {
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary, { recursive: true, mode: 0o700 })
  const context = recordingContext(temporary)
  const restic = await stockRestic(memoryPassword)
  const plan = await getStrategy(type).plan({ path, leaveOut: [] }, localHost('/tmp'))
  const result = await (async () => {
    await using repository = await memoryRepository(await createLocal(restic.repository))
    const parts = await dumpSources(path, plan.sources, context)
    return archive(repository, { parts, timeNs: 1_700_000_000_000_000_000n, paths: [path], hostname: 'here' })
  })()
  const restored = join(restic.scratch, 'restored')
  await restic.run('check', '--read-data')
  await restic.run('restore', result.snapshot, '--target', restored)
  return { result, context, restored, [Symbol.asyncDispose]: () => restic[Symbol.asyncDispose]() }
}

test(
  'what stock restic restores of a generic project equals the project',
  { skip: needs('restic', 'rsync') },
  async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'shop')
    write(path, {
      'a.txt': 'a',
      '.env': 'KEY',
      'deep/er/b.txt': 'b',
      'data/clients.json': '[1]',
      "it's – ü\n.txt": 'odd',
    })
    symlinkSync('a.txt', join(path, 'link'))
    chmodSync(join(path, 'deep'), 0o711)
    for (const mode of ['wal', 'delete']) {
      using database = new DatabaseSync(join(path, `data/${mode}.db`))
      database.exec(`pragma journal_mode = ${mode}; create table a (x); insert into a values (1), (2)`)
    }
    execFileSync('git', ['-C', path, 'init', '--quiet'])
    await using backup = await backUp('generic', path, folder.path)
    assert.deepEqual([...backup.result.findings, ...backup.context.findings], [])
    const differences = execFileSync('rsync', [
      '-aHAXni',
      '--checksum',
      '--delete',
      `${path}/`,
      `${join(backup.restored, 'files')}/`,
    ]).toString()
    assert.equal(differences, '')
    assert.deepEqual(
      backup.context.artifacts.map(({ path }) => path).sort(),
      backup.result.artifacts.map(({ path }) => path).sort(),
    )
  },
)

test(
  'a node-app that works while it is backed up is restored with whole databases',
  { skip: needs('restic') },
  async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'shop')
    write(path, { 'package.json': '{}', '.env': 'KEY=1', 'index.js': 'x', 'node_modules/a/index.js': 'x' })
    mkdirSync(join(path, 'data'))
    await using script = startScript(
      `import { DatabaseSync } from 'node:sqlite'
     import { writeFileSync } from 'node:fs'
     const [path] = process.argv.slice(1)
     const database = new DatabaseSync(path + '/data/app.db', { timeout: 10000 })
     database.exec('pragma journal_mode = wal; create table a (x); create table b (x)')
     for (let round = 1; ; round++) {
       database.exec('begin; insert into a values (randomblob(500)); insert into b values (1); commit')
       if (round % 50 === 0) writeFileSync(path + '/data/clients.json', JSON.stringify(Array(1 + (round % 1000)).fill({ round })))
       if (round === 500) console.log('writing')
       if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
     }`,
      path,
    )
    await script.said('writing')
    await using backup = await backUp('node-app', path, folder.path)
    assert.deepEqual([...backup.result.findings, ...backup.context.findings], [])
    await script.kill()

    const restored = (name: string): string => join(backup.restored, name)
    assert.equal(readFileSync(restored('config/.env'), 'utf8'), 'KEY=1')
    const list = JSON.parse(readFileSync(restored('files/data/clients.json'), 'utf8')) as { round: number }[]
    assert.equal(new Set(list.map(({ round }) => round)).size, 1)
    using database = new DatabaseSync(restored('files/data/app.db'))
    assert.deepEqual(database.prepare('pragma integrity_check').all().map(Object.values), [['ok']])
    const { a, b } = database.prepare('select (select count(*) from a) as a, (select count(*) from b) as b').get()!
    assert.ok(Number(a) >= 500)
    assert.equal(a, b)
    const { rows } = backup.context.artifacts.find(({ kind }) => kind === 'sqlite')!
    assert.deepEqual(rows, { a, b })
  },
)
