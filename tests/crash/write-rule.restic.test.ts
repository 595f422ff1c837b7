import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf } from './chance.ts'
import { Installation } from './program.ts'
import { makeProject } from './record.ts'
import { breachesOf, type Call, namedFiles, readTrace } from './traced.ts'

const skip = needs('strace')
const traced = 'openat,write,pwrite64,writev,pwritev,fsync,fdatasync,link,linkat,rename,renameat,renameat2'

async function trace(bewaar: Installation, ...args: readonly string[]): Promise<Call[]> {
  const log = join(bewaar.scratch, 'calls')
  const under = ['strace', '-f', '-y', '-s', '0', '-qq', '-o', log, '-e', `trace=${traced}`]
  // because strace shortens no path, but the strings that are written
  const ended = await bewaar.run(args, { under: under.filter((word) => word !== '-s' && word !== '0') })
  assert.equal(ended.code, 0, ended.stderr)
  return readTrace(readFileSync(log, 'utf8'))
}

test(
  'in a real run every file is durable before it has its name, and all names before the snapshot',
  { skip },
  async () => {
    using bewaar = new Installation((scratch) => ({
      vaults: { vault: join(scratch, 'vault'), second: join(scratch, 'second') },
      projects: { data: { path: join(scratch, 'project'), copies: ['second'] } },
    }))
    makeProject(bewaar.projects['data']!.path, chanceOf(1), { small: 60, large: 6, largeBytes: 9_000_000 })
    const repositories = { vault: bewaar.repository(), second: bewaar.repository('data', 'second') }
    const init = await trace(bewaar, 'init')
    assert.deepEqual(breachesOf(init, repositories.vault), [])
    assert.equal(namedFiles(init, repositories.vault).filter((path) => path.endsWith('/config')).length, 1)
    const run = await trace(bewaar, 'run')
    assertComplete(run, repositories.vault)
    assert.deepEqual(breachesOf(run, repositories.vault), [])
    const copy = await trace(bewaar, 'copy')
    assertComplete(copy, repositories.second)
    assert.deepEqual(breachesOf(copy, repositories.second), [])
    assertBreachesAreSeen(run, repositories.vault)
  },
)

/** The trace holds the naming of packs, of an index and of one snapshot: else nothing was judged. */
function assertComplete(calls: readonly Call[], repository: string): void {
  const count = (type: string): number =>
    namedFiles(calls, repository).filter((path) => path.startsWith(`${repository}/${type}/`)).length
  assert.ok(count('data') >= 3, `${count('data')} packs`)
  assert.ok(count('index') >= 1)
  assert.equal(count('snapshots'), 1)
}

/** Without the fsyncs of any one pack, index or folder of them, or with the snapshot first, the judge complains. */
function assertBreachesAreSeen(calls: readonly Call[], repository: string): void {
  const isFsync = ({ name, args }: Call): boolean => name === 'fsync' && args.includes(`<${repository}/`)
  const fsyncs = calls.filter((call) => isFsync(call) && /\/(data|index|snapshots)/.test(call.args))
  assert.ok(fsyncs.length >= 8)
  const pathOf = ({ args }: Call): string => args.replace(/^\d+/, '')
  // All of one path, because of a folder that two packs are named in, the later one does for both.
  for (const path of new Set(fsyncs.map(pathOf))) {
    const without = calls.filter((call) => !isFsync(call) || pathOf(call) !== path)
    assert.notDeepEqual(breachesOf(without, repository), [], `nobody misses fsync of ${path}`)
  }
  const snapshot = calls.findIndex(({ name, args }) => name === 'link' && args.includes('/snapshots/'))
  const early = calls.with(snapshot, { ...calls[snapshot]!, began: 0, ended: 0 })
  assert.notDeepEqual(breachesOf(early, repository), [])
}
