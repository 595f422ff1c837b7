import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

import { emptyPlace, type Ended, type Place } from '../e2e/place.ts'
import type { TestSshd } from '../remote/sshd.ts'
import { filesBelow } from './rest-server.ts'

export const password = 'the password of the vaults'

export interface CopiesOptions {
  /** Vaults besides `near`, which runs write to: the lines of each but its password. */
  readonly vaults: Readonly<Record<string, readonly string[]>>
  /** In YAML. Default: a copy to each of the vaults after each run. */
  readonly copies?: string
  /** What runs write to. Default: near. */
  readonly vault?: string
  /** What the project holds: files of so many bytes that neither compress nor resemble each other. */
  readonly files: readonly number[]
  /** What the environment gives. */
  readonly env?: Readonly<Record<string, string>>
}

/** A project with copies, whose vaults tests bring into trouble. */
export interface CopiesScene extends AsyncDisposable {
  readonly place: Place
  /** Writes the configuration anew. */
  configure(change: Partial<CopiesOptions>): Promise<void>
  /** Runs a command line, and asserts how it ends. @returns its JSON. */
  json<T>(code: number, ...args: string[]): Promise<T>
  /** The same, for what people read. */
  ends(code: number, ...args: string[]): Promise<Ended>
  start(...args: string[]): ReturnType<Place['start']>
  /** Other bytes for some files of the project, by their number. */
  change(...numbers: number[]): Promise<void>
}

export interface RunReport {
  readonly status: string
  readonly snapshot: string
  readonly copies: readonly { readonly vault: string; readonly status: string }[]
  readonly findings: readonly { readonly vault?: string; readonly subject: string; readonly text: string }[]
}

export interface CopyReport {
  readonly from: string
  readonly vault: string
  readonly status: string
  readonly snapshots: number
  readonly bytesAdded: number
  readonly verified: number
  readonly findings: readonly { readonly severity: string; readonly text: string }[]
  readonly error?: { readonly code: string }
}

export async function copiesScene(given: CopiesOptions): Promise<CopiesScene> {
  await using undo = new AsyncDisposableStack()
  const place = undo.use(await emptyPlace())
  let options = given
  const configure = async (change: Partial<CopiesOptions>): Promise<void> => {
    options = { ...options, ...change }
    const { vaults, vault = 'near', copies = toEach(vaults) } = options
    const all = { near: ['location: ./near'], ...vaults }
    const lines = Object.entries(all).flatMap(([name, settings]) => [
      `  ${name}:`,
      '    password: { env: VAULT_PASSWORD }',
      ...settings.map((line) => `    ${line}`),
    ])
    const project = `{ type: generic, path: ./shop, schedule: daily 03:00, vault: ${vault}, copies: ${copies} }`
    await place.write('bewaar.yaml', `state: ./state\nvaults:\n${lines.join('\n')}\nprojects:\n  shop: ${project}\n`)
  }
  await configure({})
  const write = async (number: number): Promise<void> =>
    await place.write(`shop/${number}.bin`, randomFillSync(Buffer.alloc(options.files[number]!)))
  for (const number of options.files.keys()) await write(number)
  const start = (...args: string[]): ReturnType<Place['start']> =>
    place.start(args, { env: { VAULT_PASSWORD: password, ...options.env } })
  const ends = async (code: number, ...args: string[]): Promise<Ended> => {
    const ended = await start(...args).ended
    assert.equal(ended.code, code, `${args.join(' ')}\n${ended.out}${ended.err}`)
    return ended
  }
  const stack = undo.move()
  return {
    place,
    configure,
    start,
    ends,
    json: async <T>(code: number, ...args: string[]) => JSON.parse((await ends(code, ...args, '--json')).out) as T,
    change: async (...numbers) => {
      for (const number of numbers) await write(number)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function toEach(vaults: CopiesOptions['vaults']): string {
  const copies = Object.keys(vaults).map((to) => `{ to: ${to} }`)
  return `[${copies.join(', ')}]`
}

/** The lines of a vault behind SFTP. @param port - default: the server's own. */
export function boxOf(sshd: TestSshd, folder: string, port = sshd.port): string[] {
  const { user, target } = sshd
  return [
    `location: sftp://${user.name}@127.0.0.1:${port}/./${folder}`,
    `identity: { file: ${target.identity} }`,
    `known-hosts: ${target.knownHosts}`,
  ]
}

/** Trusts the key of a server on another port too. */
export function knownOn(sshd: TestSshd, port: number): string {
  return `[127.0.0.1]:${port} ${readFileSync(`${sshd.folder}/host.pub`, 'utf8')}`
}

/** Packs that lie in a repository under their final name. */
export function packsIn(repository: string): string[] {
  const data = `${repository}/data`
  return existsSync(data) ? filesBelow(data).filter((path) => /\/[0-9a-f]{64}$/.test(`/${path}`)) : []
}

/** What these packs take. */
export function bytesOf(repository: string): number {
  return packsIn(repository).reduce((sum, path) => sum + statSync(`${repository}/data/${path}`).size, 0)
}

/** Waits for something that a process beside this one brings about. */
export async function until(isSo: () => boolean, ended: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  void ended.then(() => over.abort())
  while (!over.signal.aborted && !isSo()) await pause(5)
}

/** What stock restic says of a repository that it has read all of. */
export async function checkedByRestic(
  place: Place,
  repository: string,
  keys: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { RESTIC_PASSWORD: password, RESTIC_REPOSITORY: repository, ...keys }
  const { code, out, err } = await place.run('restic', ['--no-cache', 'check', '--read-data'], { env }).ended
  assert.equal(code, 0, out + err)
  assert.match(out, /no errors were found/)
  return out
}
