import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { lutimes, utimes } from 'node:fs/promises'

import { emptyPlace, type Place } from './place.ts'

export const configuration = `timezone: Europe/Amsterdam
state: ./state
vaults:
  hot: { location: ./hot, password: { file: ./password } }
  archive: { location: ./archive, tier: archive, password: { file: ./password } }
projects:
  shop:
    type: node-app
    path: ./shop
    schedule: daily 03:00
    copies: [{ to: archive, schedule: weekly sunday 06:00 }]
`

/** A configuration with two vaults and a small shop: files, a SQLite database, a JSON database, settings and a key. */
export async function shopPlace(text = configuration): Promise<Place> {
  const place = await emptyPlace()
  await place.write('bewaar.yaml', text)
  await place.write('password', 'the password of the vaults\n', 0o600)
  await place.write('shop/package.json', '{ "name": "shop", "scripts": { "start": "node shop.js" } }\n')
  await place.write('shop/shop.js', "console.log('open')\n")
  await place.write('shop/.env', 'SECRET=1\n', 0o600)
  await place.write('shop/certificates/payment.key', 'a key\n', 0o400)
  await place.write('shop/uploads/logo.png', Buffer.from('not really a picture'))
  await place.write('shop/uploads/2026/photo.jpg', Buffer.alloc(300_000, 'photo'))
  await place.write('shop/data/clients.json', '[{ "id": 1 }]\n')
  fillDatabase(place, 'hammer', 'nail')
  await utimes(place.at('shop/uploads/logo.png'), 1, 1_600_000_000.123)
  await utimes(place.at('shop/uploads'), 1, 1_500_000_000)
  await lutimes(place.at('shop/certificates'), 1, 1_400_000_000)
  return place
}

/** The same after `init`, a run and a copy. */
export async function backedUpShop(text = configuration): Promise<Place> {
  const place = await shopPlace(text)
  for (const args of [['init'], ['run'], ['copy']]) {
    const { code, err } = await place.bewaar(...args)
    assert.deepEqual({ code, err }, { code: 0, err: '' }, args.join(' '))
  }
  return place
}

export const databaseFile = 'shop/data/shop.sqlite'

/** Makes the database when it is not there, and adds products to it. */
export function fillDatabase(place: Place, ...products: readonly string[]): void {
  using database = new DatabaseSync(place.at(databaseFile))
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS product (name TEXT)')
  for (const product of products) database.prepare('INSERT INTO product VALUES (?)').run(product)
}

export function productsIn(place: Place, file = databaseFile): string[] {
  using database = new DatabaseSync(place.at(file))
  return database
    .prepare('SELECT name FROM product ORDER BY rowid')
    .all()
    .map(({ name }) => String(name))
}
