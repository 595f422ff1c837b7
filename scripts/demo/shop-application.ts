/**
 * The shop's application: a process of its own that takes orders in SQLite and rewrites its JSON files, as fast as a busy
 * shop, until it is told to stop. It dies without closing its database, so that its write-ahead log stays behind.
 *
 * Started as `shop-application.ts <project folder>`. It answers `count` with what it has done.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'

/** What the application has done since it started. */
export interface ShopWork {
  readonly orders: number
  readonly rewrites: number
}

const folder = process.argv[2]!
let orders = 0
let rewrites = 0
const stopping = new AbortController()

process.on('message', (message) => {
  if (message === 'stop') stopping.abort()
  else process.send?.({ orders, rewrites } satisfies ShopWork)
})
process.on('disconnect', () => stopping.abort())

await Promise.all([takeOrders(), rewriteMessages(), rewriteClients()])
process.kill(process.pid, 'SIGKILL')

/** Each order goes into three tables at once; between two statements the tables contradict each other. */
async function takeOrders(): Promise<void> {
  const database = new DatabaseSync(join(folder, 'data/shop.sqlite'), { timeout: 10_000 })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  const addOrder = database.prepare('INSERT INTO orders (client, cents, at) VALUES (?, ?, ?)')
  const addLine = database.prepare('INSERT INTO order_lines (order_id, product, pieces, cents) VALUES (?, ?, ?, ?)')
  const setCents = database.prepare('UPDATE orders SET cents = ? WHERE id = ?')
  const enter = database.prepare('UPDATE ledger SET orders = orders + 1, cents = cents + ?')
  while (!stopping.signal.aborted) {
    database.exec('BEGIN IMMEDIATE')
    const order = addOrder.run(orders % 500, 0, Date.now()).lastInsertRowid
    let total = 0
    for (let line = 0; line <= orders % 4; line++) {
      const cents = 100 + ((orders * 37 + line) % 5000)
      addLine.run(order, line, 1 + line, cents)
      total += cents
    }
    setCents.run(total, order)
    enter.run(total)
    database.exec('COMMIT')
    orders++
    await pause(2)
  }
}

/** In place, with a moment in which half of the file is missing. */
async function rewriteMessages(): Promise<void> {
  const messages = Array.from({ length: 400 }, (_, id) => ({ id, text: `Where is order ${id}?` }))
  const file = join(folder, 'data/messages.json')
  while (!stopping.signal.aborted) {
    messages.push({ id: messages.length, text: `Message after ${orders} orders` })
    const text = Buffer.from(`${JSON.stringify({ count: messages.length, messages }, null, 1)}\n`)
    const half = Math.floor(text.length / 2)
    const descriptor = openSync(file, 'r+')
    ftruncateSync(descriptor)
    writeSync(descriptor, text, 0, half, 0)
    await pause(20)
    writeSync(descriptor, text, half, text.length - half, half)
    closeSync(descriptor)
    rewrites++
    await pause(400)
  }
}

/** As careful applications do: a whole new file, then a rename. */
async function rewriteClients(): Promise<void> {
  const fresh = join(folder, '.cache/clients.json')
  mkdirSync(join(folder, '.cache'), { recursive: true })
  for (let visits = 0; !stopping.signal.aborted; visits++) {
    const clients = Array.from({ length: 500 }, (_, id) => ({ id, name: `Client ${id}`, visits: visits + id }))
    writeFileSync(fresh, `${JSON.stringify(clients, null, 1)}\n`)
    renameSync(fresh, join(folder, 'data/clients.json'))
    rewrites++
    await pause(600)
  }
}
