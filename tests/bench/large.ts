/**
 * Bewaar with more than fits into memory: a million files in a repository of two million blobs, and one file of 50 GB.
 *
 *   npm run bench -- --large                          both at full size: 8 GB of disk, half an hour of processor time
 *   npm run bench -- --large --scale 0.1              a tenth of it
 *   npm run bench -- --large --only files             steps whose name begins so
 *
 * The memory of every step has a bound, and stock restic judges what was stored.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { bewaar, bewaarCommand, createBewaar } from './contenders.ts'
import { Seeded, sentence } from './data.ts'
import { measure, type Measured } from './measure.ts'

/** What one command took. */
export interface Step {
  readonly name: string
  readonly measured: Measured
  /** Bytes that no process of the step may have taken more than. */
  readonly most: number
}

export interface LargeRequest {
  /** Empty or not there; what is made in it is left there. */
  readonly folder: string
  /** 1 is a million files, or 50 GB. */
  readonly scale: number
  readonly seed: string
  readonly told: (step: Step) => void
}

const megabyte = 1e6
/** Bytes: what one file may take, and what no files at all and a million of them may. */
const mostMemory = { largeFile: 350 * megabyte, noFiles: 400 * megabyte, millionFiles: 700 * megabyte }
const filesOfFolder = 3
const mebibyte = 2 ** 20

/**
 * A first backup of many small files; one without changes; one of a day on which a file in every folder changed, so that
 * the repository has two blobs for each file; and what can be done with all that.
 *
 * @throws when a command fails, or what was restored is not what was backed up.
 */
export function backUpManyFiles({ folder, scale, seed, told }: LargeRequest): void {
  const [source, store, target] = [join(folder, 'files'), join(folder, 'store-of-files'), join(folder, 'restored')]
  const folders = Math.ceil((1_000_000 * scale) / filesOfFolder)
  const most = mostMemory.noFiles + (mostMemory.millionFiles - mostMemory.noFiles) * scale
  const step = (name: string, verb: string, ...options: string[]): void => {
    const command = bewaarCommand(store, verb, ...options)
    told({ name: `files, ${name}`, measured: measure(command, bewaar.env), most })
  }

  for (let nth = 0; nth < folders; nth++) writeFolder(source, nth, seed)
  createBewaar(store, { path: source, keep: { bench: { last: 1 } } })
  step('first', 'run', '--project=data')
  step('unchanged', 'run', '--project=data')
  for (let nth = 0; nth < folders; nth++) writeChanged(source, nth, seed)
  step('one changed in every folder', 'run', '--project=data')
  step('list', 'list', '--json')
  const part = join('p1', 'q1')
  step('plan of a restore', 'restore', '--project=data', `--to=${target}`, '--dry-run')
  step('restore of a part', 'restore', '--project=data', `--to=${target}`, `--path=${part}`, '--yes')
  compareFolders(join(source, part), target, part)
  step('check', 'verify', '--project=data', '--share=100%')
  step('plan of a clean-up', 'cleanup', '--project=data', '--dry-run')
  step('clean-up', 'cleanup', '--project=data', '--yes')
  checkByRestic(store)
}

/**
 * Backups of one file that is mostly a hole, with text and noise in sixteen places; the second after a byte in its middle
 * changed and something was added. It is read back as a stream, and compared.
 *
 * @throws when a command fails, or what comes back is not what was backed up.
 */
export function backUpLargeFile({ folder, scale, seed, told }: LargeRequest): void {
  const [source, store, target] = [join(folder, 'large'), join(folder, 'store-of-large'), join(folder, 'restored')]
  const path = join(source, 'disk.img')
  const size = Math.round(50e9 * scale)
  const step = (name: string, command: readonly string[]): void =>
    told({ name: `large file, ${name}`, measured: measure(command, bewaar.env), most: mostMemory.largeFile })

  mkdirSync(source, { recursive: true })
  writeSparse(path, size, seed)
  writeFileSync(join(source, 'beside.txt'), 'beside it')
  createBewaar(store, { path: source })
  step('first', bewaarCommand(store, 'run', '--project=data'))
  const file = openSync(path, 'r+')
  writeSync(file, 'changed', Math.floor(size / 2))
  writeSync(file, 'added', size)
  closeSync(file)
  step('a byte changed', bewaarCommand(store, 'run', '--project=data'))
  const beside = ['--project=data', `--to=${target}`, '--path=beside.txt', '--yes']
  step('restore of a file beside it', bewaarCommand(store, 'restore', ...beside))
  step('check', bewaarCommand(store, 'verify', '--project=data', '--share=100%'))
  const dump = bewaarCommand(store, 'dump', 'disk.img', '--project=data')
  step('read back and compared', ['bash', '-o', 'pipefail', '-c', '"${@:2}" | cmp - "$1"', 'bash', path, ...dump])
  checkByRestic(store)
}

function nameOfFolder(source: string, nth: number): string {
  return join(source, `p${nth % 100}`, `q${Math.floor(nth / 100) % 100}`, `d${nth}`)
}

function writeFolder(source: string, nth: number, seed: string): void {
  const folder = nameOfFolder(source, nth)
  mkdirSync(folder, { recursive: true })
  for (let file = 0; file < filesOfFolder; file++) {
    writeFileSync(
      join(folder, `File${file}.php`),
      `<?php // ${seed} ${nth} ${file}\n${'return null;\n'.repeat(nth % 20)}`,
    )
  }
}

function writeChanged(source: string, nth: number, seed: string): void {
  writeFileSync(join(nameOfFolder(source, nth), 'File0.php'), `<?php // changed ${seed} ${nth}\n`)
}

/** Noise and text in sixteen places, a twentieth of it all. */
function writeSparse(path: string, size: number, seed: string): void {
  const random = new Seeded(`large ${seed}`)
  const text = sentence(random, mebibyte)
  const file = openSync(path, 'w')
  ftruncateSync(file, size)
  const pieces = Math.ceil(size / 20 / 16 / (2 * mebibyte))
  for (let place = 0; place < 16; place++) {
    let at = Math.floor((size / 16) * place)
    for (let piece = 0; piece < pieces; piece++) {
      at += writeSync(file, random.bytes(Math.min(mebibyte, size - at)), 0, undefined, at)
      if (at < size) at += writeSync(file, `${place} ${piece} ${text}`.slice(0, size - at), at)
    }
  }
  closeSync(file)
}

/** Because the folder of a restore holds the path of what was backed up, its end is looked for. */
function compareFolders(source: string, target: string, part: string): void {
  const found = readdirSync(target, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith(part))
  if (found === undefined) throw new Error(`${part} was not restored`)
  run(['diff', '-r', source, join(target, found)])
  rmSync(target, { recursive: true })
}

function checkByRestic(store: string): void {
  run(['restic', '-r', join(store, 'vault', 'data'), '--no-cache', '-q', 'check'], {
    RESTIC_PASSWORD: bewaar.env['BEWAAR_BENCH_PASSWORD'],
  })
}

function run(command: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const ended = spawnSync(command[0]!, command.slice(1), { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (ended.status !== 0) {
    throw new Error(`${command.join(' ')}: ${ended.error?.message ?? `${ended.stdout}${ended.stderr}`}`)
  }
}
