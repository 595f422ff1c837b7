import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A stream of bytes that one seed always gives again: AES-CTR of zeros, at the speed of the disk, and nothing in it
 * compresses or repeats.
 */
export class Seeded {
  readonly #stream: ReturnType<typeof createCipheriv>
  #pool: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest()
    this.#stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  }

  bytes(count: number): Buffer {
    return this.#stream.update(Buffer.alloc(count))
  }

  /** From 0 up to and without 1. */
  share(): number {
    if (this.#at === this.#pool.length) {
      this.#pool = this.bytes(1 << 16)
      this.#at = 0
    }
    this.#at += 4
    return this.#pool.readUInt32LE(this.#at - 4) / 2 ** 32
  }

  /** From `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.share() * (high - low + 1))
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.whole(0, items.length - 1)]!
  }
}

const words = `invoice customer order payment total amount street city country delivery return note comment description
  product article price discount tax period quarter ledger account balance credit debit opening closing reminder
  function public private protected static return array string integer boolean null true false if else foreach while
  namespace use class extends implements interface abstract const self parent new throw try catch finally`.split(/\s+/)

export function sentence(random: Seeded, length: number): string {
  let text = ''
  while (text.length < length) text += `${random.pick(words)}${random.share() < 0.1 ? '\n  ' : ' '}`
  return text.slice(0, length)
}

/** About `bytes` of a CMS's uploads: pictures that do not compress, thumbnails, PDF and HTML, a few videos. */
export function makeUploads(folder: string, bytes: number, seed: string): void {
  const random = new Seeded(`uploads ${seed}`)
  let left = bytes
  const videos = Math.max(1, Math.round((bytes * 0.3) / 120e6))
  mkdirSync(join(folder, 'video'), { recursive: true })
  for (let nth = 0; nth < videos; nth++) {
    const size = Math.floor(Math.min(left / 4, random.whole(50e6, 200e6)))
    writeLarge(join(folder, 'video', `clip-${nth}.mp4`), random, size)
    left -= size
  }
  for (let nth = 0; left > 0; nth++) {
    const month = join(folder, 'pictures', `2026-${String((nth % 12) + 1).padStart(2, '0')}`, String(nth % 40))
    mkdirSync(month, { recursive: true })
    const size = random.whole(50e3, 500e3)
    writeFileSync(join(month, `photo-${nth}.jpg`), random.bytes(size))
    writeFileSync(join(month, `photo-${nth}-thumb.jpg`), random.bytes(random.whole(3e3, 12e3)))
    if (nth % 10 === 0) {
      writeFileSync(join(month, `page-${nth}.html`), sentence(random, random.whole(2e3, 40e3)))
      const pdf = Buffer.concat([Buffer.from(sentence(random, 20e3)), random.bytes(random.whole(20e3, 200e3))])
      writeFileSync(join(month, `document-${nth}.pdf`), pdf)
    }
    left -= size * 1.1
  }
}

function writeLarge(path: string, random: Seeded, size: number): void {
  const file = openSync(path, 'w')
  for (let written = 0; written < size;) {
    const piece = random.bytes(Math.min(4 << 20, size - written))
    written += writeSync(file, piece)
  }
  closeSync(file)
}

/** `count` files of 0.2 to 8 KB of source text, about three to a folder. */
export function makeSmall(folder: string, count: number, seed: string): void {
  const random = new Seeded(`small ${seed}`)
  const text = sentence(random, 1 << 20)
  for (let nth = 0; nth < count; nth++) {
    const module = Math.floor(nth / 3)
    const path = join(folder, `m${module % 17}`, `p${module % 289}`, `d${module}`)
    if (nth % 3 === 0) mkdirSync(path, { recursive: true })
    const size = random.whole(200, 8000)
    const from = random.whole(0, text.length - size - 1)
    writeFileSync(join(path, `File${nth}.php`), `<?php // ${nth}\n${text.slice(from, from + size)}`)
  }
}

/** About `bytes` of plain SQL as pg_dump writes it: one table of short rows, one of long texts. */
export function makeSql(path: string, bytes: number, seed: string): void {
  const random = new Seeded(`sql ${seed}`)
  const text = sentence(random, 4 << 20).replaceAll('\n', ' ')
  const file = openSync(path, 'w')
  let written = writeSync(file, 'COPY public.accounts (aid, bid, abalance, filler) FROM stdin;\n')
  for (let row = 0; written < bytes / 2;) {
    let lines = ''
    for (let nth = 0; nth < 2000; nth++)
      lines += `${++row}\t${1 + (row % 50)}\t${random.whole(-5000, 5000)}\t${' '.repeat(84)}\n`
    written += writeSync(file, lines)
  }
  written += writeSync(file, '\\.\n\nCOPY public.invoices (id, customer, total, at, note) FROM stdin;\n')
  for (let row = 0; written < bytes;) {
    let lines = ''
    for (let nth = 0; nth < 500; nth++) {
      const from = random.whole(0, text.length - 600)
      const note = text.slice(from, from + random.whole(80, 600))
      lines += `${++row}\t${random.whole(0, 2 ** 31).toString(36)}\t${random.whole(1, 1e6) / 100}\t2026-11-01 12:00:00\t${note}\n`
    }
    written += writeSync(file, lines)
  }
  writeSync(file, '\\.\n')
  closeSync(file)
}

/** Changes one file in a hundred, as the second day does: half of them rewritten, some added, some removed. */
export function changeSome(folder: string, seed: string): void {
  const random = new Seeded(`change ${seed}`)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const entry of files) {
    if (random.share() >= 0.01) continue
    const path = join(entry.parentPath, entry.name)
    const { size } = statSync(path)
    if (size > 20e6) continue
    if (random.share() < 0.6) writeFileSync(path, random.bytes(size))
    else if (random.share() < 0.5) renameSync(path, `${path}.moved`)
    else writeFileSync(`${path}.added`, random.bytes(random.whole(1000, 100e3)))
  }
}
