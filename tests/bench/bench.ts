/**
 * Compares Bewaar with its peers on the same data, in turn, round after round, and prints the ratios to restic.
 *
 *   npm run bench                          all cases at full size, 3 rounds
 *   npm run bench -- --quick               small data, 2 rounds; fails when a ratio is worse than its bound
 *   npm run bench -- --only uploads        cases whose name begins so
 *   npm run bench -- --peers restic        fewer peers
 *   npm run bench -- --scale 0.1 --rounds 5 --json result.json --folder /var/tmp/bench
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { formatBytes } from '#base'
import { contenders, type Contender } from './contenders.ts'
import { databaseName, startDays } from './database.ts'
import { makeManyBackups, startOf } from './starts.ts'
import { changeSome, makeSmall, makeSql, makeUploads } from './data.ts'
import { measure, median, type Measured } from './measure.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    peers: { type: 'string', default: 'restic,borg,rsync,tar|zstd|age' },
    scale: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    folder: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})

const scale = Number(flags.scale ?? (flags.quick ? 0.1 : 1))
const rounds = Number(flags.rounds ?? (flags.quick ? 2 : 3))
const home = flags.folder ?? join(tmpdir(), 'bewaar-bench')
const data = join(home, `data-${flags.seed}-${scale}`)
const running = [contenders[0]!, ...contenders.slice(1).filter(({ name }) => flags.peers.split(',').includes(name))]

interface Outcome {
  readonly case: string
  readonly program: string
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peak: number
  readonly stored?: number
  /** Median of the ratios round by round, to restic. */
  readonly ratio?: number
}

type Done = { readonly measured: Measured; readonly stored?: number } | undefined
type Work = (contender: Contender, round: number) => Done

const outcomes: Outcome[] = []

function compare(name: string, work: Work): void {
  if (!isWanted(name)) return
  const rows: Rows = new Map()
  for (let round = 0; round < rounds; round++) {
    for (const contender of inTurn(round)) note(rows, contender, work(contender, round))
  }
  conclude(name, rows)
}

/** What each program did, round by round. */
type Rows = Map<string, NonNullable<Done>[]>

function inTurn(round: number): Contender[] {
  return round % 2 === 0 ? running : running.toReversed()
}

function note(rows: Rows, { name }: Contender, done: Done): void {
  if (done) rows.set(name, [...(rows.get(name) ?? []), done])
}

function conclude(name: string, rows: Rows): void {
  const reference = rows.get('restic')
  for (const [program, runs] of rows) {
    const ratios = reference && runs.map((run, nth) => run.measured.seconds / reference[nth]!.measured.seconds)
    const stored = runs.at(-1)!.stored
    outcomes.push({
      case: name,
      program,
      seconds: median(runs.map(({ measured }) => measured.seconds)),
      cpuSeconds: median(runs.map(({ measured }) => measured.cpuSeconds)),
      peak: median(runs.map(({ measured }) => measured.peak)),
      ...(stored !== undefined && { stored }),
      ...(ratios && { ratio: median(ratios) }),
    })
    const last = outcomes.at(-1)!
    console.error(
      `${name}: ${program} ${last.seconds.toFixed(2)} s${last.ratio === undefined ? '' : `, ratio ${last.ratio.toFixed(2)}`}`,
    )
  }
}

function isWanted(name: string): boolean {
  return name.startsWith(flags.only)
}

function fresh(name: string): string {
  const folder = join(home, 'stores', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, '..'), { recursive: true })
  return folder
}

function bytesIn(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  )
}

function prepared(name: string, make: (path: string) => void): string {
  const path = join(data, name)
  if (!existsSync(`${path}.made`)) {
    rmSync(path, { recursive: true, force: true })
    mkdirSync(path, { recursive: true })
    make(path)
    writeFileSync(`${path}.made`, '')
  }
  return path
}

/** A first backup into an empty store, then what can be done with it. */
function firstAndAfter(name: string, make: () => string): void {
  if (!['first', 'unchanged', 'restore', 'check'].some((part) => isWanted(`${name}, ${part}`))) return
  const source = make()
  const stores = new Map<string, string>()
  compare(`${name}, first`, (contender, round) => {
    const store = fresh(`${name}-${contender.name.replaceAll('|', '-')}-${round}`)
    contender.create(store, source)
    const measured = measure(contender.backup(store, source), contender.env)
    stores.set(contender.name, store)
    return { measured, stored: bytesIn(contender.bytesAt(store)) }
  })
  const again = (contender: Contender): string => {
    const known = stores.get(contender.name)
    if (known) return known
    const store = fresh(`${name}-${contender.name.replaceAll('|', '-')}`)
    contender.create(store, source)
    measure(contender.backup(store, source), contender.env)
    stores.set(contender.name, store)
    return store
  }
  compare(`${name}, unchanged`, (contender) => {
    if (contender.name.startsWith('tar')) return undefined
    const store = again(contender)
    return { measured: measure(contender.backup(store, source), contender.env) }
  })
  compare(`${name}, restore`, (contender, round) => {
    if (!contender.restore) return undefined
    const store = again(contender)
    const target = fresh(`restored-${round}`)
    const measured = measure(contender.restore(store, target), contender.env)
    rmSync(target, { recursive: true, force: true })
    return { measured }
  })
  compare(`${name}, check`, (contender) => {
    if (!contender.check) return undefined
    return { measured: measure(contender.check(again(contender)), contender.env) }
  })
}

const megabyte = 1e6
const uploads = (): string => prepared('uploads', (path) => makeUploads(path, 2000 * megabyte * scale, flags.seed))
const small = (): string => prepared('small', (path) => makeSmall(path, Math.round(100_000 * scale), flags.seed))
const sql = (): string =>
  prepared('sql', (path) => makeSql(join(path, 'shop.sql'), 1000 * megabyte * scale, flags.seed))

firstAndAfter('uploads', uploads)
firstAndAfter('small', small)
firstAndAfter('sql', sql)
compareDayTwo()
await compareDumps()
await measureStarts()

/** What a person waits for when nothing is to be done: the help, and the list of many backups. */
async function measureStarts(): Promise<void> {
  const backups = Math.round(1000 * Math.min(1, scale))
  const [help, list] = ['start, help', `start, list of 10 × ${backups}`]
  if (!isWanted(help) && !isWanted(list)) return
  const store = fresh('start')
  await makeManyBackups(store, 10, backups)
  const commands = { [help]: startOf('--help'), [list]: startOf('list', `--config=${join(store, 'bewaar.yaml')}`) }
  for (const [name, command] of Object.entries(commands)) {
    const rows: Rows = new Map()
    for (let round = 0; round <= rounds; round++) {
      const measured = measure(command, contenders[0]!.env)
      // the first one fills the catalog, and the cache of compiled sources
      if (round > 0) note(rows, contenders[0]!, { measured })
    }
    conclude(name, rows)
  }
}

/** A database behind `pg_dump`, on two days; what is said to be stored on the second is what the store grew by. */
async function compareDumps(): Promise<void> {
  const [first, second] = ['database, first', 'database, day 2']
  if (!isWanted(first) && !isWanted(second)) return
  await using days = await startDays(scale, flags.seed)
  const { socketFolder: socket, port, superuser: user } = days.server
  const rows: { first: Rows; second: Rows } = { first: new Map(), second: new Map() }
  for (let round = 0; round < rounds; round++) {
    for (const contender of inTurn(round)) {
      const store = fresh(`database-${contender.name.replaceAll('|', '-')}`)
      const env = { ...days.env, ...contender.env }
      const command = contender.dump?.(store, databaseName)
      if (!command) continue
      const backup = (): Measured => measure(command, env)
      await days.show(1)
      if (contender.createForDump) contender.createForDump(store, { socket, port, user, database: databaseName })
      else contender.create(store, '')
      const measured = backup()
      const before = bytesIn(contender.bytesAt(store))
      note(rows.first, contender, { measured, stored: before })
      if (contender.name.startsWith('tar')) continue
      await days.show(2)
      note(rows.second, contender, { measured: backup(), stored: bytesIn(contender.bytesAt(store)) - before })
    }
  }
  conclude(first, rows.first)
  conclude(second, rows.second)
}

function compareDayTwo(): void {
  if (!isWanted('both, unchanged') && !isWanted('both, day 2')) return
  const both = prepared('both', (path) => {
    cpSync(uploads(), join(path, 'uploads'), { recursive: true, preserveTimestamps: true })
    cpSync(small(), join(path, 'small'), { recursive: true, preserveTimestamps: true })
  })
  const stores = new Map<string, string>()
  const daily = running.filter(({ name }) => !name.startsWith('tar'))
  for (const contender of daily) {
    const store = fresh(`both-${contender.name}`)
    contender.create(store, both)
    measure(contender.backup(store, both), contender.env)
    stores.set(contender.name, store)
  }
  const backup: Work = (contender) => {
    const store = stores.get(contender.name)
    return store === undefined ? undefined : { measured: measure(contender.backup(store, both), contender.env) }
  }
  compare('both, unchanged', backup)
  let changedIn = -1
  compare('both, day 2', (contender, round) => {
    if (round !== changedIn) changeSome(both, `${flags.seed} ${round} ${process.pid}`)
    changedIn = round
    return backup(contender, round)
  })
  rmSync(`${both}.made`)
}

const table = [
  `Ratios are medians of ${rounds} interleaved rounds, seconds of one program by those of restic in the same round.`,
  `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${formatBytes(totalmem())} of memory, Node ${process.versions.node}, data at ${scale} of full size.`,
  '',
  '| work | program | seconds | ratio | CPU s | peak memory | stored |',
  '|---|---|---:|---:|---:|---:|---:|',
  ...outcomes.map(
    (row) =>
      `| ${row.case} | ${row.program} | ${row.seconds.toFixed(2)} | ${row.ratio?.toFixed(2) ?? ''} | ${row.cpuSeconds.toFixed(1)} | ${formatBytes(row.peak)} | ${row.stored === undefined ? '' : formatBytes(row.stored)} |`,
  ),
]
console.log(table.join('\n'))
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(outcomes, null, 2)}\n`)
if (flags.quick) failWhenWorse()

/** Bounds are ratios to restic on small data, where starting up weighs more than on full data. */
function failWhenWorse(): void {
  const bounds = JSON.parse(readFileSync(new URL('./bounds.json', import.meta.url), 'utf8')) as Record<string, number>
  for (const { case: name, program, ratio } of outcomes) {
    const bound = bounds[name]
    if (program !== 'bewaar' || ratio === undefined || bound === undefined || ratio <= bound) continue
    console.error(`${name}: ratio ${ratio.toFixed(2)} is worse than its bound ${bound}`)
    process.exitCode = 1
  }
}
