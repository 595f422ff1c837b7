import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { bytesIn, inTurn, type Bench } from './bench-run.ts'
import { bewaar, type Contender } from './contenders.ts'
import { changeSome, makeSmall, makeSql, makeUploads } from './data.ts'
import { databaseName, startDays } from './database.ts'
import { measure } from './measure.ts'
import type { Done } from './outcomes.ts'
import { makeManyBackups, measureStart, startOf } from './starts.ts'

const megabyte = 1e6

/** All that is wanted, in order. */
export async function runCases(bench: Bench): Promise<void> {
  const { scale, seed } = bench
  const uploads = (): string => bench.prepared('uploads', (path) => makeUploads(path, 2000 * megabyte * scale, seed))
  const small = (): string => bench.prepared('small', (path) => makeSmall(path, Math.round(100_000 * scale), seed))
  const sql = (): string =>
    bench.prepared('sql', (path) => makeSql(join(path, 'shop.sql'), 1000 * megabyte * scale, seed))

  firstAndAfter(bench, 'uploads', uploads)
  firstAndAfter(bench, 'small', small)
  firstAndAfter(bench, 'sql', sql)
  compareDays(bench, uploads, small)
  await compareDumps(bench)
  await compareStarts(bench)
  bench.clear()
}

/** A first backup into an empty store, then what can be done with it. */
function firstAndAfter(bench: Bench, name: string, make: () => string): void {
  if (!['first', 'unchanged', 'restore', 'check'].some((part) => bench.isWanted(`${name}, ${part}`))) return
  const source = make()
  const stores = new Map<string, string>()
  const back = (contender: Contender, store: string): Done => {
    contender.create(store, source)
    const measured = measure(contender.backup(store, source), contender.env)
    stores.set(contender.name, store)
    return { measured, stored: bytesIn(contender.bytesAt(store)) }
  }
  const storeOf = (contender: Contender): string => {
    if (!stores.has(contender.name)) back(contender, bench.fresh(`${name}-${fileName(contender)}`))
    return stores.get(contender.name)!
  }
  bench.compare(`${name}, first`, bench.running, (contender, round) =>
    back(contender, bench.fresh(`${name}-${fileName(contender)}-${round}`)),
  )
  const keepsHistory = bench.running.filter(isDaily)
  bench.compare(`${name}, unchanged`, keepsHistory, (contender) => {
    const store = storeOf(contender)
    return { measured: measure(contender.backup(store, source), contender.env) }
  })
  bench.compare(`${name}, restore`, bench.running, (contender, round) => {
    if (!contender.restore) return undefined
    const store = storeOf(contender)
    // a folder of its own each time, because some file systems are slow where as much was removed just before
    const target = bench.fresh(`restored-${fileName(contender)}-${round}`)
    return { measured: measure(contender.restore(store, target), contender.env) }
  })
  bench.compare(`${name}, check`, bench.running, (contender) => {
    if (!contender.check) return undefined
    return { measured: measure(contender.check(storeOf(contender)), contender.env) }
  })
  bench.clear()
}

/** Days after the first one, of uploads and small files together. */
function compareDays(bench: Bench, uploads: () => string, small: () => string): void {
  const [unchanged, changed] = ['both, unchanged', 'both, day 2']
  if (!bench.isWanted(unchanged) && !bench.isWanted(changed)) return
  const both = bench.prepared('both', (path) => {
    cpSync(uploads(), join(path, 'uploads'), { recursive: true, preserveTimestamps: true })
    cpSync(small(), join(path, 'small'), { recursive: true, preserveTimestamps: true })
  })
  const daily = bench.running.filter(isDaily)
  const stores = new Map<Contender, string>()
  for (const contender of daily) {
    const store = bench.fresh(`both-${fileName(contender)}`)
    contender.create(store, both)
    measure(contender.backup(store, both), contender.env)
    stores.set(contender, store)
  }
  const backup = (contender: Contender): Done => ({
    measured: measure(contender.backup(stores.get(contender)!, both), contender.env),
  })
  bench.compare(unchanged, daily, backup)
  let changedIn = -1
  bench.spoilt(both)
  bench.compare(changed, daily, (contender, round) => {
    if (round !== changedIn) changeSome(both, `${bench.seed} ${round} ${process.pid}`)
    changedIn = round
    return backup(contender)
  })
  bench.clear()
  rmSync(both, { recursive: true })
}

/** A database behind `pg_dump`, on two days; what is said to be stored on the second is what the store grew by. */
async function compareDumps(bench: Bench): Promise<void> {
  const [first, second] = ['database, first', 'database, day 2']
  if (!bench.isWanted(first) && !bench.isWanted(second)) return
  await using days = await startDays(bench.scale, bench.seed)
  const { socketFolder: socket, port, superuser: user } = days.server
  const rows = { first: new Map<string, Done[]>(), second: new Map<string, Done[]>() }
  for (let round = 0; round < bench.rounds; round++) {
    for (const contender of inTurn(bench.running, round)) {
      const store = bench.fresh(`database-${fileName(contender)}`)
      const command = contender.dump?.(store, databaseName)
      if (!command) continue
      const backup = (): Done => {
        const measured = measure(command, { ...days.env, ...contender.env })
        return { measured, stored: bytesIn(contender.bytesAt(store)) }
      }
      await days.show(1)
      if (contender.createForDump) contender.createForDump(store, { socket, port, user, database: databaseName })
      else contender.create(store, '')
      const before = backup()
      bench.note(rows.first, contender, before)
      if (!isDaily(contender)) continue
      await days.show(2)
      const after = backup()
      bench.note(rows.second, contender, { ...after, stored: after.stored! - before.stored! })
    }
  }
  bench.conclude(first, rows.first)
  bench.conclude(second, rows.second)
  bench.clear()
}

/** What a person waits for when nothing is to be done: the help, and the list of many backups; beside a bare start of Node. */
async function compareStarts(bench: Bench): Promise<void> {
  const [help, list] = ['start, help', 'start, list']
  const node = { name: 'node', command: [process.execPath, '-e', '0'] }
  const program = (...args: readonly string[]): typeof node => ({ name: bewaar.name, command: startOf(...args) })
  const compare = (name: string, ours: typeof node): void => {
    if (!bench.isWanted(name)) return
    measure(ours.command, bewaar.env) // because the first one fills the catalog, and the cache of compiled sources
    bench.compare(name, [ours, node], ({ command }) => ({ measured: measureStart(command, bewaar.env) }))
  }
  compare(help, program('--help'))
  if (!bench.isWanted(list)) return
  const store = bench.fresh('start')
  await makeManyBackups(store, 10, Math.round(1000 * Math.min(1, bench.scale)))
  compare(list, program('list', `--config=${join(store, 'bewaar.yaml')}`))
}

/** Whether it has a second day: an archive is made whole each time. */
function isDaily({ name }: Contender): boolean {
  return !name.startsWith('tar')
}

function fileName({ name }: Contender): string {
  return name.replaceAll('|', '-')
}
