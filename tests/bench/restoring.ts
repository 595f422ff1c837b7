/**
 * Prints how long a project of 1 GB of files and a database of 0.5 GB needs to come back in its place, beside the plain
 * tools: `cp -a` of the same files and `psql` of the same dump, neither of which syncs, decrypts or compares anything.
 *
 *   node tests/bench/restoring.ts [--scale 1] [--rounds 3] [--folder /var/tmp/bench]
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { makeUploads } from './data.ts'
import { databaseName, startDays } from './database.ts'
import { measure, median, type Measured } from './measure.ts'
import { startOf } from './starts.ts'

const { values: flags } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: join(tmpdir(), 'bewaar-bench-restoring') },
  },
})
const scale = Number(flags.scale)
const rounds = Number(flags.rounds)
const home = flags.folder
const most = 1.3

rmSync(home, { recursive: true, force: true })
const [project, copy, dump] = ['shop', 'copy', 'shop.sql'].map((name) => join(home, name)) as [string, string, string]
mkdirSync(join(project, 'uploads'), { recursive: true })
makeUploads(join(project, 'uploads'), 1e9 * scale, 'restoring')
run('cp', ['-a', project, copy])

await using days = await startDays(0.5 * scale, 'restoring')
const { server } = days
const { socketFolder: socket, port, superuser: user } = server
run(join(server.programFolder, 'pg_dump'), [databaseName], days.env, dump)

const configuration = join(home, 'bewaar.yaml')
const vaults = { bench: { location: join(home, 'vault'), tier: 'hot', password: { env: 'BEWAAR_BENCH_PASSWORD' } } }
const databases = [{ driver: 'postgresql', socket, port, user, name: databaseName }]
const shop = { type: 'generic', schedule: 'daily 03:00', path: project, databases }
writeFileSync(configuration, JSON.stringify({ state: join(home, 'state'), vaults, projects: { shop } }))
const env = { ...process.env, BEWAAR_BENCH_PASSWORD: 'bench' }
bewaar('init')
bewaar('run')

const lost: [Measured, Measured[]][] = []
for (let round = 0; round < rounds; round++) {
  const ours = (): Measured => {
    return measure(
      startOf('restore', `--config=${configuration}`, '--quiet', '--project=shop', '--latest', '--yes'),
      env,
    )
  }
  const theirs = (): Measured[] => [
    measure(['cp', '-a', join(copy, 'uploads'), project]),
    measure([join(server.programFolder, 'psql'), '-q', '-o', '/dev/null', '-f', dump, databaseName], {
      ...env,
      ...days.env,
    }),
  ]
  await lose()
  const first = round % 2 === 0 ? ours() : theirs()
  await lose()
  const second = round % 2 === 0 ? theirs() : ours()
  lost.push((Array.isArray(first) ? [second, first] : [first, second]) as [Measured, Measured[]])
}
const seconds = (of: readonly Measured[]): number => of.reduce((sum, { seconds: each }) => sum + each, 0)
const ratio = median(lost.map(([ours, theirs]) => ours.seconds / seconds(theirs)))
console.log(
  `all lost: bewaar restore ${median(lost.map(([ours]) => ours.seconds)).toFixed(1)} s, cp -a and psql ${median(lost.map(([, theirs]) => seconds(theirs))).toFixed(1)} s;`,
  `${ratio.toFixed(2)} of it, at most ${most} is wanted`,
)
rmSync(home, { recursive: true, force: true })
if (ratio > most) process.exitCode = 1

/** The files are gone, and the database is empty. */
async function lose(): Promise<void> {
  rmSync(join(project, 'uploads'), { recursive: true, force: true })
  const kept = await server.run(`select datname from pg_database where datname like '${databaseName}%'`)
  for (const name of kept.split('\n').filter(Boolean)) await server.run(`drop database "${name}"`)
  await server.run(`create database ${databaseName}`)
  await server.run('checkpoint')
}

function bewaar(...args: readonly string[]): void {
  const [program, ...rest] = startOf(args[0]!, `--config=${configuration}`, ...args.slice(1))
  run(program!, rest, env)
}

function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}, to?: string): void {
  const output = to === undefined ? 'pipe' : openSync(to, 'w')
  const ended = spawnSync(program, args, { env: { ...process.env, ...more }, stdio: ['ignore', output, 'pipe'] })
  if (ended.status !== 0)
    throw new Error(`${program} ${args.join(' ')}: ${ended.error?.message ?? ended.stderr.toString()}`)
}
