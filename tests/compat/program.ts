import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Secret } from '#base'

const launcher = fileURLToPath(new URL('../../bin/bewaar.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The program as people run it, with projects of type `generic` and one vault. */
export interface Program {
  /** The repository of a project. */
  repositoryOf(project: string): string
  run(...args: readonly string[]): Promise<Ended>
  /** What it prints with `--json`. @throws when it ends with another exit code than 0, or the one that is `expected`. */
  json(args: readonly string[], expected?: number): Promise<unknown>
}

export interface ProgramOptions {
  /** Folders of the projects, by their names. */
  readonly projects: Readonly<Record<string, string>>
  readonly password: Secret
  /** Runs it as this user. */
  readonly uid?: number
}

/** @param folder - gets the configuration, the vault and the state. */
export function programIn(folder: string, { projects, password, uid }: ProgramOptions): Program {
  const entries = Object.entries(projects).map(([name, path]) => [
    name,
    { type: 'generic', path, schedule: 'daily 03:00', vault: 'disk' },
  ])
  const configuration = {
    state: './state',
    vaults: { disk: { location: './vault', tier: 'hot', password: { env: 'VAULT_PASSWORD' } } },
    projects: Object.fromEntries(entries) as object,
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'bewaar.yaml'), JSON.stringify(configuration))
  const env = { PATH: process.env['PATH'], HOME: folder, VAULT_PASSWORD: password.reveal() }
  const run = (...args: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const ids = uid === undefined ? {} : { uid, gid: uid }
      const child = spawn(process.execPath, [launcher, ...args], {
        cwd: folder,
        env,
        ...ids,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let [out, err] = ['', '']
      child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
      child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
      child.on('close', (code) => resolve({ code, out, err }))
    })
  return {
    repositoryOf: (project) => join(folder, 'vault', project),
    run,
    json: async (args, expected = 0) => {
      const { code, out, err } = await run(...args, '--json')
      if (code !== expected) throw new Error(`bewaar ${args.join(' ')} ended with exit code ${code}: ${out}${err}`)
      return JSON.parse(out)
    },
  }
}
