import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { ArchiveWatcher } from './count-archive.ts'
import { nameDecoder, shownTable } from './table-name.ts'
import { DumpFault } from './watcher.ts'

const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(5)
  bytes[0] = value < 0 ? 1 : 0
  bytes.writeUInt32LE(Math.abs(value), 1)
  return bytes
}
const text = (value: string | undefined): Buffer =>
  value === undefined ? integer(-1) : Buffer.concat([integer(Buffer.byteLength(value)), Buffer.from(value)])

interface Entry {
  readonly kind: string
  readonly copy?: string
  readonly hasData: boolean
}

/** The head of an archive as `pg_dump` writes it in one of its formats. */
function contentsOf(entries: readonly Entry[], minor: number, compression = 0): Buffer {
  const lines = entries.map(({ kind, copy, hasData }, nth) => {
    const numbers = [integer(nth + 1), integer(Number(hasData))]
    const statements = [text('CREATE …'), text(''), text(copy)]
    const names = ['1259', '16384', 'name', kind].map(text)
    const storage = ['public', '', 'heap'].map(text)
    const rest = [text('postgres'), text('false'), text('7'), text(undefined), Buffer.from([hasData ? 1 : 3])]
    const relationKind = minor >= 16 ? [integer(114)] : []
    const all = [numbers, names, [integer(3)], statements, storage, relationKind, rest, [Buffer.alloc(8)]]
    return Buffer.concat(all.flat())
  })
  const compressing = minor >= 15 ? Buffer.from([compression]) : integer(compression)
  const times = Array.from({ length: 7 }, () => integer(1))
  const names = ['shop', '15.18', '15.18'].map(text)
  const head = [Buffer.from('PGDMP'), Buffer.from([1, minor, 0, 4, 8, 1]), compressing]
  return Buffer.concat([...head, ...times, ...names, integer(entries.length), ...lines])
}

const chunks = (pieces: readonly string[]): Buffer => Buffer.concat([...pieces.map(text), integer(0)])
const block = (kind: 1 | 3, number: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([kind]), integer(number), ...parts])

const entries: Entry[] = [
  { kind: 'TABLE', hasData: false },
  { kind: 'TABLE DATA', copy: 'COPY public.some (a, b) FROM stdin;\n', hasData: true },
  { kind: 'TABLE DATA', copy: 'COPY public.zero  FROM stdin;\n', hasData: true },
  { kind: 'BLOBS', hasData: true },
  { kind: 'TABLE DATA', copy: 'COPY "a""b"."c;\n" (a) FROM stdin;\n', hasData: true },
]
const blocks = [
  block(1, 2, chunks(['1\tone\n', `2\t${'two '.repeat(3000)}\n`, '\\\\.\t\\N\n', '\\.\n\n\n'])),
  block(1, 3, chunks(['\n', '\n', '\\.\n\n\n'])),
  block(3, 4, integer(16395), chunks(['\n\n\n', 'x']), integer(16396), integer(0), integer(0)),
  // Later versions gather rows until there are enough of them, and may cut the end from its rows anywhere.
  block(1, 5, chunks(['a\nb\n', 'c\n\\.', '\n\n\n'])),
]
const rows = { 'public.some': 3, 'public.zero': 2, '"a""b"."c;\n"': 3 }

function watch(pieces: readonly Uint8Array[]): ArchiveWatcher {
  const watcher = new ArchiveWatcher()
  for (const piece of pieces) watcher.push(piece)
  watcher.end()
  return watcher
}

function assertRows(watcher: ArchiveWatcher): void {
  const counted = [...watcher.rows].map(([key, count]) => [shownTable(key, nameDecoder('UTF8')), count])
  assert.deepEqual(Object.fromEntries(counted), rows)
  assert.equal(watcher.largeObjects, 2)
}

test('archives of each known version are counted, however they are cut', () => {
  for (const minor of [14, 15, 16]) {
    const whole = Buffer.concat([contentsOf(entries, minor), ...blocks])
    assertRows(watch([whole]))
    assertRows(watch([...whole].map((byte) => Uint8Array.of(byte))))
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
        assertRows(watch(places.slice(1).map((end, nth) => whole.subarray(places[nth], end))))
      }),
    )
  }
})

test('an archive that is cut anywhere is not whole', () => {
  const whole = Buffer.concat([contentsOf(entries, 14), ...blocks])
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => watch([whole.subarray(0, length)]), DumpFault, `the first ${length} bytes`)
  }
})

test('an archive without data has a table of contents only', () => {
  assert.equal(watch([contentsOf([], 14)]).rows.size, 0)
  assert.throws(() => watch([contentsOf(entries, 14)]), DumpFault)
})

test('what is no whole archive of a known form is refused', () => {
  const contents = contentsOf(entries, 14)
  const wrong: Record<string, Buffer> = {
    'unknown version': Buffer.concat([contentsOf(entries, 17), ...blocks]),
    compressed: Buffer.concat([contentsOf(entries, 15, 1), ...blocks]),
    'other beginning': Buffer.from('-- PostgreSQL database dump'),
    'a block too few': Buffer.concat([contents, ...blocks.slice(1)]),
    'a block twice': Buffer.concat([contents, ...blocks, blocks[0]!]),
    'a block of an entry without data': Buffer.concat([contents, ...blocks, block(1, 1, chunks([]))]),
    'something behind': Buffer.concat([contents, ...blocks, Buffer.from('\n')]),
    'rows without an end': Buffer.concat([contents, block(1, 2, chunks(['1\n'])), ...blocks.slice(1)]),
    'rows with half an end': Buffer.concat([contents, block(1, 2, chunks(['1\n\\.\n'])), ...blocks.slice(1)]),
  }
  for (const [name, bytes] of Object.entries(wrong)) assert.throws(() => watch([bytes]), DumpFault, name)
})
