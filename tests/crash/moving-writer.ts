/**
 * Changes the files of a folder as fast as it can, until it is killed. Each file shows by its bytes whether it was ever
 * there as a whole: see `moving-files.test.ts` for the judge.
 *
 * Usage: moving-writer.ts FOLDER SEED
 */
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { chanceOf } from './chance.ts'

const [folder, seed] = process.argv.slice(2) as [string, string]
const chance = chanceOf(Number(seed))
const path = (name: string): string => join(folder, name)

/** Files that are written over block by block, from beginning to end, again and again. */
const overwritten = { small: 32, large: 300 } as const
const blockBytes = 65_536

function letter(version: number): string {
  return String.fromCharCode(97 + (version % 26))
}

/** A file that says how long it is, all of one letter. */
function uniform(version: number): string {
  const length = 10 + chance.below(60_000)
  return `${length} ${letter(version).repeat(length)}`
}

spawnSync('mkfifo', [path('spare')])
const open = Object.entries(overwritten).map(([name, blocks]) => {
  writeFileSync(path(name), Buffer.alloc(blocks * blockBytes, 'a'))
  return { fd: openSync(path(name), 'r+'), blocks }
})
console.log('ready')
for (let version = 1, grown = 0; ; version++) {
  writeFileSync(path('next'), uniform(version))
  renameSync(path('next'), path(`exchanged${version % 5}`))
  for (const { fd, blocks } of open) {
    const block = version % blocks
    writeSync(fd, Buffer.alloc(blockBytes, letter(Math.floor(version / blocks))), 0, blockBytes, block * blockBytes)
  }
  appendFileSync(path('grows'), `${grown++}\n`)
  if (version % 5000 === 0) {
    grown = 0
    truncateSync(path('grows'))
  }
  const vanishing = path(`vanishes${version % 7}`)
  if (version % 2 === 0) writeFileSync(vanishing, uniform(version))
  else rmSync(vanishing, { force: true })
  becomeAnother(version)
  if (version % 20 === 0) await nextTurn()
}

/** One name that is a file, a link, a fifo and a folder in turn. */
function becomeAnother(version: number): void {
  const name = path(`becomes${version % 3}`)
  rmSync(name, { recursive: true, force: true })
  switch (chance.below(4)) {
    case 0:
      return writeFileSync(name, uniform(version))
    case 1:
      return symlinkSync('/etc/passwd', name)
    case 2:
      mkdirSync(name)
      return writeFileSync(join(name, 'inner'), uniform(version))
    default:
      return linkSync(path('spare'), name)
  }
}
