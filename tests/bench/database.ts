import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startPostgresql, type PostgresqlServer } from '#sandbox'
import { Seeded, sentence } from './data.ts'

/** The database that is dumped; on the second day another one takes its name. */
export const databaseName = 'shop'

/** A server with the database of two days, which change places. */
export interface Days extends AsyncDisposable {
  readonly server: PostgresqlServer
  /** What the programs of PostgreSQL read. */
  readonly env: NodeJS.ProcessEnv
  show(day: 1 | 2): Promise<void>
}

/**
 * A PostgreSQL server with about `scale` GB as plain SQL: the accounts of pgbench, and invoices with long texts. On the
 * second day 1% of the rows have changed, as an application does it: the newest accounts, the newest invoices, and half of
 * that appended.
 */
export async function startDays(scale: number, seed: string): Promise<Days> {
  const server = await startPostgresql({ settings: { shared_buffers: '512MB', max_wal_size: '4GB' } })
  try {
    const env = { PGHOST: server.socketFolder, PGPORT: String(server.port), PGUSER: server.superuser }
    const branches = Math.max(1, Math.round(50 * scale))
    await server.run(`create database ${databaseName}`)
    program(join(server.programFolder, 'pgbench'), ['-i', '-q', '-s', String(branches), databaseName], env)
    const invoices = Math.round(1_150_000 * scale)
    const columns = 'id int primary key, customer int, total numeric(10,2), number text, note text'
    await server.run(`create table invoices (${columns})`, databaseName)
    await addInvoices(server, env, databaseName, { from: 1, count: invoices, seed })
    await server.run('vacuum (freeze, analyze)', databaseName)
    await server.run(`create database day_2 template ${databaseName}`)
    const accounts = branches * 100_000
    await server.run(`update pgbench_accounts set abalance = abalance + 7 where aid > ${accounts * 0.99}`, 'day_2')
    await server.run(`update invoices set total = total + 1 where id > ${Math.round(invoices * 0.995)}`, 'day_2')
    const added = { from: invoices + 1, count: Math.round(invoices * 0.005), seed: `${seed} 2` }
    await addInvoices(server, env, 'day_2', added)
    let shown: 1 | 2 = 1
    return {
      server,
      env,
      async show(day) {
        if (day === shown) return
        const [other, next] = day === 1 ? ['day_2', 'day_1'] : ['day_1', 'day_2']
        await server.run(`alter database ${databaseName} rename to ${other}`)
        await server.run(`alter database ${next} rename to ${databaseName}`)
        shown = day
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  } catch (thrown) {
    await server[Symbol.asyncDispose]()
    throw thrown
  }
}

interface Rows {
  readonly from: number
  readonly count: number
  readonly seed: string
}

async function addInvoices(
  server: PostgresqlServer,
  env: NodeJS.ProcessEnv,
  database: string,
  { from, count, seed }: Rows,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-bench-rows-'))
  try {
    chmodSync(folder, 0o755)
    const path = join(folder, 'invoices')
    writeInvoices(path, { from, count, seed })
    program(join(server.programFolder, 'psql'), ['-q', '-c', `\\copy invoices from '${path}'`, database], env)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Texts of short pieces out of a long one, so that they repeat as much as those of people do. */
function writeInvoices(path: string, { from, count, seed }: Rows): void {
  const random = new Seeded(`invoices ${seed}`)
  const text = sentence(random, 8 << 20).replaceAll('\n', ' ')
  const file = openSync(path, 'w')
  let lines = ''
  for (let row = from; row < from + count; row++) {
    let note = ''
    for (let piece = random.whole(2, 20); piece > 0; piece--) {
      const start = random.whole(0, text.length - 60)
      note += text.slice(start, start + random.whole(10, 60))
    }
    const number = `INV-${random.bytes(5).toString('hex')}`
    lines += `${row}\t${random.whole(1, 90_000)}\t${(random.whole(100, 999_999) / 100).toFixed(2)}\t${number}\t${note}\n`
    if (lines.length > 1 << 20 || row === from + count - 1) {
      writeSync(file, lines)
      lines = ''
    }
  }
  closeSync(file)
}

function program(path: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const ended = spawnSync(path, args, { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (ended.status !== 0) throw new Error(`${path} ${args.join(' ')}: ${ended.error?.message ?? ended.stderr}`)
}
