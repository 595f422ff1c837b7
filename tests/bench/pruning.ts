/**
 * Prints how long it takes to prune a repository that restic made, beside `restic prune`, each with its own limit of what may stay
 * unused (5% of what is used, of all): once after ten days of which two are kept, once after a third of all files went.
 *
 *   node tests/bench/pruning.ts [--scale 1] [--rounds 3] [--folder /var/tmp/bench]
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { Secret } from '#base'
import { openLocal, openRepository, prune } from '#engine'
import { makeSmall, makeUploads } from './data.ts'
import { measure, median, type Measured } from './measure.ts'

const { values: flags } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: join(tmpdir(), 'bewaar-bench-pruning') },
    prune: { type: 'string' },
  },
})
const password = 'bench'

if (flags.prune !== undefined) {
  await using repository = await openRepository(await openLocal(flags.prune), { password: new Secret(password) })
  await prune(repository)
} else {
  compareAll(Number(flags.scale), Number(flags.rounds), flags.folder)
}

function compareAll(scale: number, rounds: number, home: string): void {
  rmSync(home, { recursive: true, force: true })
  let isSlower = false
  for (const [title, make] of [
    ['two of ten days are kept', makeDays],
    ['a third of all files went', makeThinned],
  ] as const) {
    const base = join(home, 'base')
    make(base, join(home, 'source'), scale)
    const pairs: [Measured, Measured][] = []
    for (let round = 0; round < rounds; round++) {
      const measured = (name: string, command: (folder: string) => readonly string[]): Measured => {
        const folder = join(home, name)
        cpSync(base, folder, { recursive: true })
        execFileSync('sync')
        const taken = measure(command(folder), { RESTIC_PASSWORD: password })
        execFileSync('restic', ['check', '--quiet', '-r', folder], {
          env: { ...process.env, RESTIC_PASSWORD: password },
        })
        rmSync(folder, { recursive: true })
        return taken
      }
      const self = [process.execPath, '--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)]
      const ours = (): Measured => measured('ours', (folder) => [...self, '--prune', folder])
      const theirs = (): Measured => measured('theirs', (folder) => ['restic', 'prune', '--quiet', '-r', folder])
      const first = round % 2 === 0 ? ours() : theirs()
      const second = round % 2 === 0 ? theirs() : ours()
      pairs.push(round % 2 === 0 ? [first, second] : [second, first])
    }
    const of = (what: 'seconds' | 'cpuSeconds'): string => {
      const [mine, their] = [0, 1].map((one) => median(pairs.map((pair) => pair[one]![what]))) as [number, number]
      return `${mine.toFixed(1)} and ${their.toFixed(1)} s, ${median(pairs.map(([a, b]) => a[what] / b[what])).toFixed(2)}`
    }
    console.log(`${title}: prune and restic prune ${of('seconds')}; CPU ${of('cpuSeconds')}`)
    isSlower ||= median(pairs.map(([a, b]) => a.seconds / b.seconds)) > 1
    rmSync(home, { recursive: true })
  }
  if (isSlower) process.exitCode = 1
}

function makeDays(repository: string, source: string, scale: number): void {
  restic(repository, 'init')
  for (let day = 0; day < 10; day++) {
    makeUploads(join(source, `uploads-${day}`), (day === 0 ? 400e6 : 60e6) * scale, `uploads ${day}`)
    makeSmall(join(source, `files-${day}`), (day === 0 ? 20_000 : 3_000) * scale, `files ${day}`)
    if (day > 3) rmSync(join(source, `uploads-${day - 3}`), { recursive: true })
    restic(repository, 'backup', source)
  }
  restic(repository, 'forget', '--keep-last', '2')
}

function makeThinned(repository: string, source: string, scale: number): void {
  restic(repository, 'init')
  makeUploads(join(source, 'uploads'), 400e6 * scale, 'uploads')
  makeSmall(join(source, 'files'), 20_000 * scale, 'files')
  restic(repository, 'backup', source)
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  for (const [nth, { parentPath, name }] of files.entries()) if (nth % 3 === 0) rmSync(join(parentPath, name))
  restic(repository, 'backup', source)
  restic(repository, 'forget', '--keep-last', '1')
}

function restic(repository: string, ...args: readonly string[]): void {
  const env = { ...process.env, RESTIC_PASSWORD: password }
  execFileSync('restic', ['--quiet', '-r', repository, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}
