import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

import type { ShopWork } from './shop-application.ts'

export const shopDatabase = 'data/shop.sqlite'

const tables = `
  CREATE TABLE texts (id INTEGER PRIMARY KEY, file TEXT NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL);
  CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, client INTEGER, cents INTEGER NOT NULL, at INTEGER);
  CREATE TABLE order_lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL REFERENCES orders,
    product INTEGER, pieces INTEGER, cents INTEGER NOT NULL
  );
  CREATE TABLE ledger (orders INTEGER NOT NULL, cents INTEGER NOT NULL);
  INSERT INTO ledger VALUES (0, 0);
`
const ordersAtFirst = 20_000

/**
 * Makes a Node.js application: a SQLite database in WAL mode with every line of the sources in `origin` and a history of
 * orders, two JSON databases, settings, a key, uploads, packages that a backup leaves out, and a git history where git is.
 *
 * @returns how many rows the database has.
 */
export function makeShop(folder: string, origin: string, hasGit: boolean): number {
  for (const name of ['data', 'uploads/2026', 'src', 'node_modules/left-out']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  const write = (name: string, content: string | Uint8Array, mode = 0o644): void => {
    writeFileSync(join(folder, name), content)
    chmodSync(join(folder, name), mode)
  }
  write('package.json', `${JSON.stringify({ name: 'shop', private: true, scripts: { start: 'node src/shop.js' } })}\n`)
  write('src/shop.js', "console.log('open for business')\n")
  write('.gitignore', 'data/\nuploads/\nnode_modules/\n.env\n*.key\n')
  write('.env', `SESSION_SECRET=${randomBytes(24).toString('hex')}\nDATABASE=./data/shop.sqlite\n`, 0o600)
  write('payment.key', randomBytes(48).toString('base64'), 0o400)
  write('node_modules/left-out/index.js', 'module.exports = "npm install makes this again"\n')
  for (let number = 0; number < 40; number++) write(`uploads/2026/photo-${number}.jpg`, randomBytes(40_000 + number))
  write('data/clients.json', `${JSON.stringify([{ id: 0, name: 'Client 0', visits: 0 }])}\n`)
  write('data/messages.json', `${JSON.stringify({ count: 0, messages: [] })}\n`)
  if (hasGit) makeHistory(folder)
  return fillDatabase(join(folder, shopDatabase), origin)
}

function makeHistory(folder: string): void {
  const who = ['-c', 'user.name=Shop', '-c', 'user.email=shop@example.org', '-c', 'commit.gpgsign=false']
  const git = (...args: string[]): void => {
    const { status, stderr } = spawnSync('git', [...who, '-C', folder, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`git ${args.join(' ')} failed: ${stderr}`)
  }
  git('init', '--quiet', '--initial-branch=main')
  git('add', '.')
  git('commit', '--quiet', '--message=Open the shop')
  git('branch', 'discounts')
  git('tag', 'v1.0.0')
  writeFileSync(join(folder, 'src/shop.js'), "console.log('open for business, and not committed yet')\n")
}

function fillDatabase(file: string, origin: string): number {
  using database = new DatabaseSync(file)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN; ${tables}`)
  const addText = database.prepare('INSERT INTO texts (file, line, text) VALUES (?, ?, ?)')
  for (const name of globSync(['src/**/*.ts', 'docs/**/*.md', 'tests/**/*.ts'], { cwd: origin }).toSorted()) {
    const lines = readFileSync(join(origin, name), 'utf8').split('\n')
    for (const [index, text] of lines.entries()) addText.run(name, index + 1, text)
  }
  const addOrder = database.prepare('INSERT INTO orders (client, cents, at) VALUES (?, ?, ?)')
  const addLine = database.prepare('INSERT INTO order_lines (order_id, product, pieces, cents) VALUES (?, ?, 1, ?)')
  for (let order = 1; order <= ordersAtFirst; order++) {
    const cents = 500 + ((order * 7919) % 20_000)
    addOrder.run(order % 500, cents, 1_700_000_000_000 + order * 60_000)
    addLine.run(order, order % 90, cents)
  }
  database.exec('UPDATE ledger SET orders = (SELECT count(*) FROM orders), cents = (SELECT sum(cents) FROM orders)')
  database.exec('COMMIT')
  return Object.values(rowsOf(database)).reduce((sum, { rows }) => sum + rows, 0)
}

/** The application, at work in a process of its own; disposing ends it if it is still there. */
export interface RunningShop extends AsyncDisposable {
  work(): Promise<ShopWork>
  /** Lets it finish its sentence, then it dies with its database open. */
  stop(): Promise<ShopWork>
}

export async function openShop(folder: string): Promise<RunningShop> {
  const child = fork(new URL('./shop-application.ts', import.meta.url), [folder], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const work = async (): Promise<ShopWork> => {
    const answer = Promise.race([once(child, 'message'), once(child, 'exit')])
    child.send('count')
    const [message] = (await answer) as [unknown]
    if (typeof message !== 'object' || message === null) throw new Error('the shop has stopped by itself')
    return message as ShopWork
  }
  const running: RunningShop = {
    work,
    stop: async () => {
      const done = await work()
      const ended = once(child, 'exit')
      child.send('stop')
      await ended
      return done
    },
    [Symbol.asyncDispose]: () => end(child),
  }
  while ((await work()).rewrites < 2) await pause(50)
  return running
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** How many rows a table has, and a hash over all of them in order. */
export interface TableContent {
  readonly rows: number
  readonly sha256: string
}

/** By table. */
export type Rows = Readonly<Record<string, TableContent>>

/** The rows of a database file; `upToOrder` leaves out orders that came later, and the ledger, which counts them. */
export function readRows(file: string, upToOrder?: number): Rows {
  using database = new DatabaseSync(file, { readOnly: true })
  return rowsOf(database, upToOrder)
}

function rowsOf(database: DatabaseSync, upToOrder = Number.MAX_SAFE_INTEGER): Record<string, TableContent> {
  const contents: Record<string, TableContent> = {}
  const questions = {
    texts: 'SELECT * FROM texts ORDER BY id',
    orders: `SELECT * FROM orders WHERE id <= ${upToOrder} ORDER BY id`,
    order_lines: `SELECT * FROM order_lines WHERE order_id <= ${upToOrder} ORDER BY id`,
    ...(upToOrder === Number.MAX_SAFE_INTEGER && { ledger: 'SELECT * FROM ledger' }),
  }
  for (const [table, question] of Object.entries(questions)) {
    const hash = createHash('sha256')
    let rows = 0
    for (const row of database.prepare(question).iterate()) {
      hash.update(`${JSON.stringify(row)}\n`)
      rows++
    }
    contents[table] = { rows, sha256: hash.digest('hex') }
  }
  return contents
}

/** What a copy of the shop's data says about itself. */
export interface ShopState {
  readonly orders: number
  /** What contradicts what; empty when the copy is of one moment. */
  readonly contradictions: readonly string[]
}

/** Looks at a restored database without changing a byte beside it. */
export function inspectShop(folder: string): ShopState {
  const address = pathToFileURL(join(folder, shopDatabase))
  address.search = '?immutable=1'
  using database = new DatabaseSync(address, { readOnly: true })
  const ask = (question: string): number => Number(Object.values(database.prepare(question).get()!)[0])
  const contradictions: string[] = []
  const mustBe = (what: string, left: string, right: string): void => {
    const [a, b] = [ask(left), ask(right)]
    if (a !== b) contradictions.push(`${what}: ${a} and ${b}`)
  }
  const soundness = Object.values(database.prepare('PRAGMA integrity_check').get()!)[0]
  if (soundness !== 'ok') contradictions.push(`SQLite says ${String(soundness)}`)
  mustBe('orders and the ledger differ', 'SELECT count(*) FROM orders', 'SELECT orders FROM ledger')
  mustBe('amounts and the ledger differ', 'SELECT sum(cents) FROM orders', 'SELECT cents FROM ledger')
  mustBe('orders and their lines differ', 'SELECT sum(cents) FROM orders', 'SELECT sum(cents) FROM order_lines')
  mustBe('orders are missing', 'SELECT count(*) FROM orders', 'SELECT max(id) FROM orders')
  const { count, messages } = readJson(join(folder, 'data/messages.json')) as { count: number; messages: unknown[] }
  if (count !== messages.length) contradictions.push(`messages.json counts ${count} and holds ${messages.length}`)
  readJson(join(folder, 'data/clients.json'))
  return { orders: ask('SELECT count(*) FROM orders'), contradictions }
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
