import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { runProgram, Secret, systemCode, textOf } from '#base'
import { credentialError } from './errors.ts'

/** Where a secret is: the four forms of the configuration. */
export type SecretSource =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly string[] }
  | { readonly credential: string }

/** Longer than any password or key, shorter than a file named by mistake. */
const longest = 64 * 1024
const commandTimeoutMs = 60_000

/**
 * Fetches the secret that `source` refers to. One newline at its end is not part of it.
 *
 * A file is read only when its owner alone can read and change it. A program runs without a shell and has a minute.
 *
 * @param environment replaces the environment of this process.
 * @throws `credential.missing`, `credential.exposed`, `credential.unreadable`, `credential.empty`,
 * `credential.malformed`; `program.missing` and `program.failed` for a command.
 */
export async function resolveSecret(
  source: SecretSource,
  environment: NodeJS.ProcessEnv = process.env,
  signal?: AbortSignal,
): Promise<Secret> {
  if ('env' in source) return fromEnvironment(source.env, environment)
  if ('file' in source) return fromFile(source.file, `the file ${source.file}`, 'private')
  if ('credential' in source) return fromCredential(source.credential, environment)
  return fromCommand(source.command, environment, signal)
}

function fromEnvironment(name: string, environment: NodeJS.ProcessEnv): Secret {
  const place = `the environment variable ${name}`
  const value = environment[name]
  if (value === undefined) throw credentialError('credential.missing', { place, reason: 'it is not set' })
  return toSecret(Buffer.from(value), place)
}

// Because systemd guards its folder of credentials by other means than the mode of the files: they may show group bits.
async function fromCredential(name: string, environment: NodeJS.ProcessEnv): Promise<Secret> {
  const place = `the systemd credential ${name}`
  const folder = environment['CREDENTIALS_DIRECTORY']
  if (folder === undefined || folder === '') {
    throw credentialError('credential.missing', { place, reason: 'CREDENTIALS_DIRECTORY is not set' })
  }
  if (name.includes('/') || name === '..' || name === '.') {
    throw credentialError('credential.malformed', { place, reason: 'its name is not the name of a file' })
  }
  return fromFile(join(folder, name), place, 'guarded')
}

async function fromFile(path: string, place: string, access: 'private' | 'guarded'): Promise<Secret> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = systemCode(error) === 'ENOENT' ? 'credential.missing' : 'credential.unreadable'
    const reason = systemCode(error) === 'ENOENT' ? `there is no file ${path}` : textOf(error)
    throw credentialError(code, { place, reason }, error)
  }
  await using file = handle
  const stat = await file.stat()
  if (!stat.isFile()) throw credentialError('credential.malformed', { place, reason: 'it is not a file' })
  if (access === 'private' && (stat.mode & 0o066) !== 0) {
    throw credentialError('credential.exposed', {
      place,
      path,
      mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    })
  }
  if (stat.size > longest) throw credentialError('credential.malformed', { place, reason: 'it is longer than 64 KB' })
  return toSecret(await file.readFile(), place)
}

async function fromCommand(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Secret> {
  const [program = '', ...args] = command
  const place = `the output of ${program}`
  const timeout = AbortSignal.timeout(commandTimeoutMs)
  try {
    const both = signal ? AbortSignal.any([signal, timeout]) : timeout
    return toSecret(Buffer.from(await runProgram(program, args, { env: environment }, both)), place)
  } catch (error) {
    if (!timeout.aborted || signal?.aborted) throw error
    throw credentialError('credential.unreadable', { place, reason: 'the program did not end within a minute' }, error)
  }
}

function toSecret(bytes: Uint8Array, place: string): Secret {
  if (bytes.length > longest)
    throw credentialError('credential.malformed', { place, reason: 'it is longer than 64 KB' })
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw credentialError('credential.malformed', { place, reason: 'it is not UTF-8' }, error)
  }
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw credentialError('credential.empty', { place })
  return new Secret(value)
}
