import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

import { setAttribute } from './extended-attributes.ts'

/** Names that programs trip over. Bytes where no text can say them. */
const awkwardNames: readonly (string | Buffer)[] = [
  'two\nlines.txt',
  '-rf',
  ' leading and trailing space ',
  '…',
  'it\'s "quoted".txt',
  '$(touch owned).txt',
  '*?[a-z].txt',
  'back\\slash.txt',
  'tab\tand\x07bell.txt',
  '😀📦🏴‍☠️.txt',
  'café (one letter).txt',
  'café (letter and accent).txt',
  'שלום.txt',
  '日本語.txt',
  Buffer.from('latin-1 caf\xe9.txt', 'latin1'),
  Buffer.of(0xff, 0xfe, 0x80, 0x2e, 0x74, 0x78, 0x74),
  'n'.repeat(251) + '.txt',
  '.hidden',
  'CON',
]

/**
 * Makes a tree of uploads that holds what a file system can hold: awkward names, links of both kinds, a sparse file, odd
 * modes, old and fine times, attributes, a deep folder, large files.
 *
 * @returns what this machine or file system did not take.
 */
export function makeUploads(folder: string): string[] {
  const refused: string[] = []
  const at = (name: string | Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)])
  const attempt = (what: string, work: () => unknown): void => {
    try {
      if (work() === false) refused.push(what)
    } catch (error) {
      refused.push(`${what} (${(error as NodeJS.ErrnoException).code})`)
    }
  }
  mkdirSync(`${folder}/names`, { recursive: true })
  for (const name of awkwardNames) {
    const path = Buffer.concat([at('names/'), Buffer.from(name)])
    attempt(`the name ${JSON.stringify(name.toString())}`, () =>
      writeFileSync(path, `uploaded as ${name.toString()}\n`),
    )
  }
  makeLarge(at)
  makeDeep(folder)

  writeFileSync(at('empty'), '')
  mkdirSync(at('empty folder'))
  symlinkSync('large/photos.bin', at('link to a file'))
  symlinkSync('../uploads/names', at('link to a folder'))
  symlinkSync('/nowhere/at all', at('link to nothing'))
  attempt('hard links', () => linkSync(at('large/photos.bin'), at('the same photos')))
  attempt('a fifo', () => spawnSync('mkfifo', [`${folder}/fifo`]).status === 0)

  const isRoot = process.getuid?.() === 0
  const modes = { 'read only': 0o400, everybody: 0o777, setuid: 0o4755, ...(isRoot && { nobody: 0 }) }
  for (const [name, mode] of Object.entries(modes)) {
    writeFileSync(at(name), `mode ${mode.toString(8)}\n`)
    chmodSync(at(name), mode)
  }
  mkdirSync(at('shared'))
  chmodSync(at('shared'), 0o3775)
  if (isRoot) chownSync(at('everybody'), 1234, 5678)

  const text = Buffer.from('photographed in Zürich')
  attempt('extended attributes', () => setAttribute(at('large/photos.bin'), 'user.comment', text))
  utimesSync(at('empty'), 1, 86_400.123456789)
  utimesSync(at('empty folder'), 1, 4_102_444_800)
  attempt('times of links', () => lutimesSync(at('link to nothing'), 1, 1_000_000_000.5))
  return refused
}

function makeLarge(at: (name: string) => Buffer): void {
  mkdirSync(at('large'))
  writeFileSync(at('large/photos.bin'), randomBytes(24_000_000))
  const program = Buffer.alloc(24_000_000) // because a program is real data that compresses as real data does
  const descriptor = openSync(process.execPath, 'r')
  writeFileSync(at('large/program'), program.subarray(0, readSync(descriptor, program)))
  closeSync(descriptor)
  const sparse = openSync(at('large/sparse.img'), 'w')
  ftruncateSync(sparse, 64 * 1024 * 1024)
  writeSync(sparse, 'an island in the middle', 30_000_000)
  writeSync(sparse, 'an island near the end', 60_000_000)
  closeSync(sparse)
}

function makeDeep(folder: string): void {
  let path = `${folder}/deep`
  for (let level = 0; level < 12; level++) path += `/${String(level).padEnd(60, '-')}`
  mkdirSync(path, { recursive: true })
  writeFileSync(`${path}/bottom.txt`, 'down here\n')
}

/** A working day: something new, something longer, something renamed, something gone. */
export function changeUploads(folder: string): void {
  const program = readFileSync(`${folder}/large/program`)
  writeFileSync(`${folder}/large/program`, Buffer.concat([program, Buffer.from('one more line at the end\n')]))
  writeFileSync(`${folder}/new today.bin`, randomBytes(1_000_000))
  chmodSync(`${folder}/everybody`, 0o640)
}
