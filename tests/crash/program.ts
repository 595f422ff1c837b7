import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Secret } from '#base'
import { openLocal, openRepository, type Repository } from '#engine'
import { findMain, withSettings } from '../../bin/main.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** The file that the program starts with. */
export const main = findMain(root)
const settings = withSettings({}, root, main)

/** Of all vaults. */
export const password = new Secret('password of the vaults')

/** Exit codes that a person may meet; a signal counts 128 more. */
export const documentedCodes: readonly number[] = [0, 1, 2, 3, 4, 10, 11, 12, 130]

/** How a program ended. */
export interface Ended {
  /** 128 and the number of the signal for a process that was killed. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

export interface StartOptions {
  /** Programs and their arguments that start the program: `setpriv …`, `nsenter …`. */
  readonly under?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Starts any program; never through a shell. */
export function start(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Started {
  const child = spawn(command[0]!, command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text))
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal!], ...texts }))
  })
  return { child, ended }
}

/** The environment of restic, without any setting of the person who runs the tests. */
function resticEnvironment(repository: string, cacheFolder: string): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('RESTIC_'))
  return {
    ...Object.fromEntries(clean),
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: password.reveal(),
    RESTIC_CACHE_DIR: cacheFolder,
    TZ: 'UTC',
  }
}

export interface ProjectSettings {
  readonly path: string
  readonly databases?: readonly { readonly driver: 'sqlite' | 'json'; readonly path: string }[]
  readonly copies?: readonly string[]
}

export interface InstallationSettings {
  /** Default: `vault`, in the scratch folder. The first one is written to. */
  readonly vaults?: Readonly<Record<string, string>>
  readonly state?: string
  /** Default: `data`, in `project` of the scratch folder. */
  readonly projects?: Readonly<Record<string, ProjectSettings>>
}

/** Bewaar as a person has it: a configuration, vaults, projects, and the program in processes of its own. */
export class Installation implements Disposable {
  /** All of it lies here, and goes with it. */
  readonly scratch: string
  readonly vaults: Readonly<Record<string, string>>
  readonly state: string
  readonly projects: Readonly<Record<string, ProjectSettings>>
  readonly configuration: string

  /** @param settle - given the scratch folder, says what differs from one project in one vault. */
  constructor(settle: (scratch: string) => InstallationSettings = () => ({})) {
    const scratch = mkdtempSync(join(tmpdir(), 'bewaar-crash-'))
    const settings = settle(scratch)
    this.scratch = scratch
    this.vaults = settings.vaults ?? { vault: join(scratch, 'vault') }
    this.state = settings.state ?? join(scratch, 'state')
    this.projects = settings.projects ?? { data: { path: join(scratch, 'project') } }
    this.configuration = join(scratch, 'bewaar.yaml')
    for (const { path } of Object.values(this.projects)) mkdirSync(path, { recursive: true })
    const vaults = Object.entries(this.vaults).map(([name, location]) => [
      name,
      { location, password: { env: 'BEWAAR_CRASH_PASSWORD' } },
    ])
    const projects = Object.entries(this.projects).map(([name, { path, databases, copies }]) => [
      name,
      {
        type: 'generic',
        path,
        schedule: 'daily 03:00',
        vault: Object.keys(this.vaults)[0],
        ...(databases && { databases }),
        ...(copies && { copies: copies.map((to) => ({ to, schedule: 'weekly sunday 05:00' })) }),
      },
    ])
    const whole = { state: this.state, vaults: Object.fromEntries(vaults), projects: Object.fromEntries(projects) }
    writeFileSync(this.configuration, JSON.stringify(whole))
  }

  repository(project = 'data', vault = Object.keys(this.vaults)[0]!): string {
    return join(this.vaults[vault]!, project)
  }

  /** The command that runs a verb without the launcher, so that a signal meets the program itself. */
  command(...args: readonly string[]): string[] {
    return [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      main,
      ...args,
      `--config=${this.configuration}`,
      '--json',
    ]
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...settings, BEWAAR_CRASH_PASSWORD: password.reveal() }
  }

  start(args: readonly string[], { under = [], env }: StartOptions = {}): Started {
    return start([...under, ...this.command(...args)], { ...this.environment, ...env })
  }

  /** Runs a verb to its end and asserts that it ended as a program does that expects troubles. */
  async run(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    const ended = await this.start(args, options).ended
    assertTyped(ended)
    return ended
  }

  /** The same, for what must go well. @returns its JSON. */
  async succeed(...args: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.run(args)
    assert.equal(code, 0, `${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
    return JSON.parse(stdout)
  }

  /** Runs stock restic on one repository, which must go well. */
  async restic(repository: string, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryRestic(repository, args)
    assert.equal(code, 0, `restic ${args.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }

  async tryRestic(repository: string, args: readonly string[], under: readonly string[] = []): Promise<Ended> {
    return await this.startRestic(repository, args, under).ended
  }

  startRestic(repository: string, args: readonly string[], under: readonly string[] = []): Started {
    return start([...under, 'restic', ...args], resticEnvironment(repository, join(this.scratch, 'cache')))
  }

  /** A repository, opened in this process. */
  async open(project?: string, vault?: string): Promise<Repository> {
    return await openRepository(await openLocal(this.repository(project, vault)), { password })
  }

  [Symbol.dispose](): void {
    rmSync(this.scratch, { recursive: true, force: true })
  }
}

/** Fails for exit codes that are not documented, and for errors that nobody foresaw. */
export function assertTyped({ code, stdout, stderr }: Ended): void {
  const said = stderr + stdout
  assert.ok(documentedCodes.includes(code), `exit code ${code}: ${said}`)
  assert.doesNotMatch(stderr, /\(bug\)|"code": ?"bug"|^ {4}at .+:\d+:\d+/m, said)
  if (code === 1) assert.match(said, /[a-z]+\.[a-z-]+/, `no code of an error: ${said}`)
}
/** What `run --json` printed of a project; undefined when it was killed before. */
export function reportOf(stdout: string, project = 'data'): RunReport | undefined {
  if (stdout.trim() === '') return undefined
  const reports = JSON.parse(stdout) as RunReport[]
  return reports.find((report) => report.project === project)
}

export interface RunReport {
  readonly project: string
  readonly run: string
  readonly status: string
  readonly snapshot: string | null
  readonly findings: readonly { readonly subject: string; readonly severity: string; readonly text: string }[]
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string }
}

/** What a verb says as JSON when it cannot do its work. */
export function errorOf({ stderr }: Ended): { readonly code: string; readonly message: string; readonly hint: string } {
  const line = stderr.split('\n').find((text) => text.startsWith('{"error"'))
  assert.ok(line !== undefined, `no error: ${stderr}`)
  return (JSON.parse(line) as { error: { code: string; message: string; hint: string } }).error
}
