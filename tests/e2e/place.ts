import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What users start, and what stands in for it where it cannot start at once. */
const program = fileURLToPath(new URL('../../bin/bewaar', import.meta.url))
export const launcher = `${program}.js`

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

export interface StartOptions {
  /** Default: the folder of the place. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Whom it runs as; default: as this process. */
  readonly uid?: number
  readonly gid?: number
}

/** A folder in which Bewaar is used as by a person, with a home and a temporary folder of its own in it. */
export class Place implements AsyncDisposable {
  /** Absolute. */
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Runs one command line to its end. */
  bewaar(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended
  }

  start(args: readonly string[], options: StartOptions = {}): Started {
    return this.run(program, args, options)
  }

  run(program: string, args: readonly string[], options: StartOptions = {}): Started {
    const { cwd = this.path, env, ...user } = options
    const child = spawn(program, args, {
      cwd,
      ...user,
      env: { ...this.environment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal!], out, err }))
    })
    return { child, ended }
  }

  environment(): Record<string, string> {
    const inHome = (name: string): string => join(this.path, 'home', name)
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: inHome(''),
      XDG_CONFIG_HOME: inHome('config'),
      XDG_STATE_HOME: inHome('state'),
      TMPDIR: this.at('tmp'),
      LC_ALL: 'C.UTF-8',
    }
  }

  at(...names: readonly string[]): string {
    return join(this.path, ...names)
  }

  /** Writes a file, with the folders above it. */
  async write(name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.at(name)), { recursive: true })
    await writeFile(this.at(name), content, { mode })
  }

  /** Everything in it: names, types, modes, sizes of what is no folder, and times; without what `leaveOut` begins with. */
  async content(...leaveOut: readonly string[]): Promise<string[]> {
    const format = (size: string): string => `%P %y %m %U:%G ${size} %T@ %l\n`
    const folders = ['-type', 'd', '-printf', format('-')]
    const { code, out, err } = await this.run('find', [
      '.',
      '-mindepth',
      '1',
      ...folders,
      '-o',
      '-printf',
      format('%s'),
    ]).ended
    if (code !== 0) throw new Error(err)
    const lines = out.split('\n').filter((line) => line !== '' && !leaveOut.some((name) => line.startsWith(name)))
    return lines.toSorted()
  }

  /** A copy with all metadata, to do to it what nobody else shall see. */
  async copy(): Promise<Place> {
    const place = await emptyPlace()
    const { code, err } = await this.run('cp', ['--archive', `${this.path}/.`, place.path]).ended
    if (code !== 0) throw new Error(err)
    return place
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

export async function emptyPlace(): Promise<Place> {
  const place = new Place(await mkdtemp(join(tmpdir(), 'bewaar-e2e-')))
  await mkdir(place.at('home'))
  await mkdir(place.at('tmp'))
  return place
}
