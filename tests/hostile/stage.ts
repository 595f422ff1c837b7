import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  type Dirent,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { composeServices } from '#app'
import { commandTable, runCommandLine } from '#cli'
import { type CraftedRepository, craftedPassword } from '#engine/testing'
import type { Ended } from '../crash/program.ts'

export const passwordVariable = 'BEWAAR_HOSTILE_PASSWORD'
process.env[passwordVariable] = craftedPassword

/** What restoring found below the target: bytes of files as latin1, `-> ` and where a link leads, or `special`. */
export type Restored = Readonly<Record<string, string>>

const types = ['config', 'key', 'lock', 'snapshot', 'index', 'pack'] as const
export type FileType = (typeof types)[number]
const folders = { config: '', key: 'keys', lock: 'locks', snapshot: 'snapshots', index: 'index', pack: 'data' } as const

/**
 * A repository on disk that somebody else wrote, a configuration that names it, and a guarded folder: the target lies in
 * it, beside things that nothing may touch.
 */
export class Stage implements Disposable {
  readonly scratch = mkdtempSync(join(tmpdir(), 'bewaar-hostile-'))
  readonly repository = join(this.scratch, 'vault', 'data')
  readonly guarded = join(this.scratch, 'guarded')
  readonly target = join(this.guarded, 'target')
  readonly project = join(this.scratch, 'project')
  readonly #configuration = join(this.scratch, 'bewaar.yaml')
  readonly #before: Restored

  constructor() {
    mkdirSync(join(this.guarded, 'canary', 'deep'), { recursive: true })
    writeFileSync(join(this.guarded, 'canary', 'alive'), 'alive')
    writeFileSync(join(this.guarded, 'canary', 'deep', 'alive'), 'alive too')
    mkdirSync(this.project)
    writeFileSync(join(this.project, 'mine'), 'what the project holds')
    const vaults = { vault: { location: dirname(this.repository), password: { env: passwordVariable } } }
    const projects = { data: { type: 'generic', path: this.project, schedule: 'daily 03:00', vault: 'vault' } }
    writeFileSync(this.#configuration, JSON.stringify({ state: join(this.scratch, 'state'), vaults, projects }))
    this.#before = this.#outside()
  }

  /** Puts the files of a crafted repository where Bewaar looks for them. */
  async place({ backend }: CraftedRepository): Promise<void> {
    for (const folder of ['keys', 'locks', 'snapshots', 'index', 'data']) {
      mkdirSync(join(this.repository, folder), { recursive: true })
    }
    for (const type of types) {
      for await (const ref of backend.list(type)) {
        const path = this.pathOf(type, ref.name)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, Buffer.concat(await Array.fromAsync(backend.load(ref))))
      }
    }
  }

  pathOf(type: FileType, name: string): string {
    if (type === 'config') return join(this.repository, 'config')
    return join(this.repository, folders[type], ...(type === 'pack' ? [name.slice(0, 2)] : []), name)
  }

  /** Paths of all files of a type. */
  filesOf(type: FileType): string[] {
    if (type === 'config') return [join(this.repository, 'config')]
    const folder = join(this.repository, folders[type])
    const names =
      type === 'pack' ? readdirSync(folder).flatMap((inner) => readdirSync(join(folder, inner))) : readdirSync(folder)
    return names.sort().map((name) => this.pathOf(type, name))
  }

  /** A command line, run in this process as the program runs it. */
  async bewaar(...args: readonly string[]): Promise<Ended> {
    const texts = { stdout: '', stderr: '' }
    const terminal = {
      out: (text: string) => Promise.resolve(void (texts.stdout += text)),
      err: (text: string) => void (texts.stderr += text),
      outColumns: undefined,
      errColumns: undefined,
      ask: () => Promise.resolve(undefined),
    }
    const setup = { entries: commandTable, terminal, version: '0.0.0', services: composeServices }
    const code = await runCommandLine(this.args(...args), setup, new AbortController().signal)
    return { code, ...texts }
  }

  args(...args: readonly string[]): string[] {
    return [...args, `--config=${this.#configuration}`, '--json']
  }

  restored(): Restored {
    return this.#read(this.target, '')
  }

  /** Nothing beside the target was touched, nor anything else of the scratch folder but what Bewaar keeps there. */
  assertNothingOutside(): void {
    assert.deepEqual(this.#outside(), this.#before)
    const known = ['bewaar.yaml', 'guarded', 'project', 'state', 'vault']
    assert.deepEqual(
      readdirSync(this.scratch).filter((name) => !known.includes(name)),
      [],
    )
  }

  #outside(): Restored {
    const names = readdirSync(this.guarded).filter((name) => name !== 'target')
    const canary = Object.entries(this.#read(join(this.guarded, 'canary'), ''))
    const statuses = [this.guarded, join(this.guarded, 'canary'), join(this.guarded, 'canary', 'alive')].map((path) => {
      const { mode, uid, gid, ino, nlink } = lstatSync(path)
      return [`status of ${path}`, [mode, uid, gid, ino, path === this.guarded ? '' : nlink].join()]
    })
    return Object.fromEntries([['names', names.sort().join()], ...canary, ...statuses])
  }

  #read(folder: string, prefix: string): Restored {
    const found: Record<string, string> = {}
    for (const entry of this.#entries(folder)) {
      const path = `${prefix}${entry.name}`
      const full = join(folder, entry.name)
      if (entry.isDirectory()) Object.assign(found, this.#read(full, `${path}/`))
      else if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(full)}`
      else found[path] = entry.isFile() ? readFileSync(full, 'latin1') : 'special'
    }
    return found
  }

  #entries(folder: string): Dirent[] {
    try {
      return readdirSync(folder, { withFileTypes: true })
    } catch {
      return [] // because a target that was never made is an empty one
    }
  }

  [Symbol.dispose](): void {
    // because rmSync knows no paths of more than 4,096 bytes
    spawnSync('rm', ['-rf', this.scratch])
  }
}
