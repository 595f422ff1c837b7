import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { at, noise, type Tree } from './tree.ts'

const kib = 1024
const mib = 1024 * kib

function writeSizes(folder: string, sizes: readonly number[]): void {
  for (const size of sizes) writeFileSync(at(folder, `${size}`), noise(`size ${size}`, size))
}

function around(size: number): number[] {
  return [size - 1, size, size + 1]
}

/** Bytes at some places of a file that is otherwise a hole. */
function writeSparse(path: Buffer, length: number, islands: readonly (readonly [number, Uint8Array])[]): void {
  const fd = openSync(path, 'w')
  ftruncateSync(fd, length)
  for (const [place, bytes] of islands) writeSync(fd, bytes, 0, bytes.length, place)
  closeSync(fd)
}

export const contents: readonly Tree[] = [
  {
    title: 'files of 0 to 513 bytes, and around a page',
    build: (folder) => writeSizes(folder, [0, 1, 2, 3, 15, 16, 17, ...around(64), ...around(512), ...around(4096)]),
  },
  {
    title: 'files around the least length of a chunk, 512 KiB',
    build: (folder) => writeSizes(folder, [...around(512 * kib), 512 * kib - 64, 512 * kib + 64, ...around(mib)]),
  },
  {
    title: 'files around the greatest length of a chunk, 8 MiB',
    build: (folder) => writeSizes(folder, around(8 * mib)),
  },
  { title: 'files around 16 MiB', build: (folder) => writeSizes(folder, around(16 * mib)) },
  { title: '40 MiB of noise', build: (folder) => writeSizes(folder, [40 * mib]) },
  {
    title: 'zeros, of lengths that end within a chunk and with one',
    build: (folder) => {
      for (const size of [1, 512 * kib, 512 * kib + 1, 40 * mib, 8 * mib - 1])
        writeFileSync(at(folder, `${size}`), Buffer.alloc(size))
    },
  },
  {
    title: 'bytes that repeat, so that nothing says where to cut',
    build: (folder) => {
      for (const [name, pattern] of Object.entries({ ff: '\xff', x: 'x', sixtyFour: noise('period', 64), odd: 'abc' }))
        writeFileSync(at(folder, name), Buffer.alloc(18 * mib + 5, pattern))
    },
  },
  {
    title: 'the same content many times',
    build: (folder) => {
      const large = noise('twice', 5 * mib)
      for (let copy = 0; copy < 60; copy++) writeFileSync(at(folder, `small ${copy}`), 'the same small content\n')
      for (let copy = 0; copy < 3; copy++) writeFileSync(at(folder, `large ${copy}`), large)
      writeFileSync(at(folder, 'large, three times over'), Buffer.concat([large, large, large]))
    },
  },
  {
    title: 'a file that is the beginning, or the end, of another',
    build: (folder) => {
      const whole = noise('whole', 9 * mib)
      for (const length of [1, 100_000, 512 * kib, 3 * mib, 9 * mib - 1])
        writeFileSync(at(folder, `first ${length}`), whole.subarray(0, length))
      writeFileSync(at(folder, 'last'), whole.subarray(4 * mib))
      writeFileSync(at(folder, 'whole'), whole)
    },
  },
  {
    title: 'a file with something put in at its front, in its middle and at its end',
    build: (folder) => {
      const base = noise('base', 6 * mib)
      const extra = Buffer.from('put in')
      writeFileSync(at(folder, 'base'), base)
      writeFileSync(at(folder, 'front'), Buffer.concat([extra, base]))
      writeFileSync(at(folder, 'middle'), Buffer.concat([base.subarray(0, 3 * mib), extra, base.subarray(3 * mib)]))
      writeFileSync(at(folder, 'end'), Buffer.concat([base, extra]))
      writeFileSync(at(folder, 'less'), base.subarray(1))
    },
  },
  {
    title: 'text that compresses well',
    build: (folder) => {
      const lines = Array.from({ length: 200_000 }, (_, line) => `${line} GET /index.html?page=${line % 97} 200\n`)
      writeFileSync(at(folder, 'log'), lines.join(''))
      writeFileSync(at(folder, 'short'), 'a'.repeat(200))
    },
  },
  {
    title: 'content that compresses in some places and not in others',
    build: (folder) => {
      const pieces = Array.from({ length: 60 }, (_, piece) =>
        piece % 2 === 0 ? noise(`piece ${piece}`, 100 * kib) : Buffer.alloc(100 * kib, `piece ${piece} `),
      )
      writeFileSync(at(folder, 'mixed'), Buffer.concat(pieces))
    },
  },
  {
    title: 'content that is compressed already',
    build: (folder) => {
      const text = Buffer.alloc(30 * mib, Buffer.concat([noise('text', 5000), Buffer.from('some words '.repeat(2000))]))
      writeFileSync(at(folder, 'log.gz'), gzipSync(text))
      writeFileSync(at(folder, 'log.zst'), zstdCompressSync(text))
      for (let file = 0; file < 100; file++) writeFileSync(at(folder, `${file}.bin`), noise(`${file}`, file * 7))
    },
  },
  {
    title: '2,000 small files, each with its own content',
    build: (folder) => {
      for (let file = 0; file < 2000; file++) {
        if (file % 100 === 0) mkdirSync(at(folder, `${file / 100}`))
        writeFileSync(at(folder, `${Math.floor(file / 100)}/${file}`), `${file}\n`.repeat(file % 200))
      }
    },
  },
  {
    title: 'sparse files with a hole at the front, at the end, and nothing else',
    isSparse: true,
    build: (folder) => {
      const text = Buffer.from('an island')
      writeSparse(at(folder, 'front'), 20 * mib + 9, [[20 * mib, text]])
      writeSparse(at(folder, 'end'), 20 * mib, [[0, text]])
      writeSparse(at(folder, 'all'), 100 * mib + 1, [])
      writeSparse(at(folder, 'short'), 8 * kib, [])
    },
  },
  {
    title: 'sparse files with islands, near the places where chunks end',
    isSparse: true,
    build: (folder) => {
      const island = noise('island', 70_000)
      const places = [0, 4 * kib, 512 * kib - 1, 3 * mib, 8 * mib - 5000, 16 * mib + 1, 30 * mib]
      const islands = places.map((place) => [place, island] as const)
      writeSparse(at(folder, 'islands'), 32 * mib, islands)
      writeSparse(at(folder, 'dots'), 16 * mib, [[8 * mib, Buffer.from('.')]])
    },
  },
  {
    title: 'files whose content is that of trees, so that blobs of both types have one id',
    build: (folder) => {
      mkdirSync(at(folder, 'empty'))
      writeFileSync(at(folder, 'tree'), '{"nodes":[]}\n')
      writeFileSync(at(folder, 'null'), '{"nodes":null}\n')
      writeFileSync(at(folder, 'snapshot'), '{"time":"2020-01-01T00:00:00Z","tree":"00","paths":["/"]}')
    },
  },
  {
    title: 'files that are named as databases and are none',
    build: (folder) => {
      for (const name of ['data', 'a folder.json', 'a folder.sqlite']) mkdirSync(at(folder, name))
      writeFileSync(at(folder, 'users.json'), '[{"id":1},{"id":2},')
      writeFileSync(at(folder, 'mark.json'), '\ufeff{"a":1}')
      writeFileSync(at(folder, 'latin.json'), Buffer.from('{"gr\xfc\xdfe":1}', 'latin1'))
      writeFileSync(at(folder, 'twice.json'), '{"a":1}{"a":2}')
      writeFileSync(at(folder, 'deep.json'), `${'['.repeat(50_000)}${']'.repeat(50_000)}`)
      writeFileSync(at(folder, 'empty.json'), '')
      writeFileSync(at(folder, 'package.json'), '{}')
      writeFileSync(at(folder, 'empty.db'), '')
      writeFileSync(at(folder, 'empty.sqlite'), '')
      writeFileSync(at(folder, 'head.sqlite'), 'SQLite format 3\0')
      writeFileSync(at(folder, 'data/db.sqlite'), Buffer.concat([Buffer.from('SQLite format 3\0'), noise('db', 9000)]))
      writeFileSync(at(folder, 'data/db.sqlite-wal'), noise('wal', 5000))
      writeFileSync(at(folder, 'orphan.db-wal'), noise('orphan', 500))
      writeFileSync(at(folder, 'orphan.db-shm'), Buffer.alloc(32 * kib))
      symlinkSync('data/db.sqlite', at(folder, 'link.sqlite'))
      symlinkSync('nowhere.json', at(folder, 'dangling.json'))
      writeFileSync(at(folder, '.git'), 'gitdir: /nowhere\n')
    },
  },
]
