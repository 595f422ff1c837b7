import { existsSync } from 'node:fs'
import { dirname } from 'node:path'

import { runProgram } from '#base'
import type { Host, ProgramCall } from '../host/host.ts'

/** Whose repository it is, and where. */
export interface GitPlace {
  /** The folder that holds `.git`, absolute. */
  readonly path: string
  /** Owner of `.git`. */
  readonly uid: number
  readonly gid: number
}

const setpriv = '/usr/bin/setpriv'

/**
 * True when git may be asked to do what can start programs that the repository's own settings name (filters, monitors):
 * they then run with no more rights than those of the repository's owner.
 */
export function runsAsOwner(host: Host, { uid }: GitPlace): boolean {
  return host.kind !== 'local' || process.getuid?.() === uid || mayBecome(uid)
}

function mayBecome(uid: number): boolean {
  return process.getuid?.() === 0 && uid !== 0 && existsSync(setpriv)
}

/** Runs git on a repository and yields its output; changes nothing there, and asks nobody for anything. */
export function streamGit(
  host: Host,
  place: GitPlace,
  args: readonly string[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  return host.stream(callOf(host, place, args), signal)
}

/** The output of git as text. @throws `program.missing`; `program.failed`. */
export function askGit(host: Host, place: GitPlace, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return host.run(callOf(host, place, args), signal)
}

function callOf(host: Host, place: GitPlace, args: readonly string[]): ProgramCall {
  const { program, before } = host.kind === 'local' ? asOwner(place) : { program: 'git', before: [] }
  return { program, args: [...before, '-C', place.path, ...args], environment: environment(place.path) }
}

/** The output of git on a repository of our own making. */
export function runOwnGit(path: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const env = { PATH: process.env['PATH'], ...environment(path) }
  return runProgram('git', ['-C', path, ...args], { env }, signal)
}

/** When root backs up a user's repository, git works as that user, so that the repository's settings give no rights. */
function asOwner({ uid, gid }: GitPlace): { program: string; before: readonly string[] } {
  if (!mayBecome(uid)) return { program: 'git', before: [] }
  return { program: setpriv, before: [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', 'git'] }
}

/** Settings that hold for every call, whatever the machine, the user or the repository say. */
const settings: readonly (readonly [key: string, value: string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.quotePath', 'true'],
  // One thread packs the same objects into the same bytes each day, so that a bundle deduplicates.
  ['pack.threads', '1'],
]

function environment(path: string): Record<string, string> {
  const all = [...settings, ['safe.directory', path] as const]
  return {
    LC_ALL: 'C',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_CEILING_DIRECTORIES: dirname(path),
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(all.map(([key], nth) => [`GIT_CONFIG_KEY_${nth}`, key])),
    ...Object.fromEntries(all.map(([, value], nth) => [`GIT_CONFIG_VALUE_${nth}`, value])),
  }
}
