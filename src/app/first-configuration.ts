import { mkdir, open, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import { randomBytes, systemCode } from '#base'
import type { FirstConfiguration } from '#cli'
import { localHost } from '#sources'
import { proposeConfiguration } from '#usecases'
import { configError } from './config/errors.ts'
import { makeTemporaryFolder } from './temporary.ts'

/** The password lies beside the configuration, so that both can be kept together. */
const passwordName = 'vault.password'

/**
 * Looks for projects and proposes a configuration for them. The proposal goes to the file that was named, or to
 * `./bewaar.yaml`; it is written only when it is accepted, and never over another file.
 *
 * @param given - `--config`, as it was written.
 */
export async function proposeFirst(
  given: string | undefined,
  folders: readonly string[],
  vault: string | undefined,
  signal?: AbortSignal,
): Promise<FirstConfiguration> {
  const file = resolve(given ?? (process.env['BEWAAR_CONFIG'] || 'bewaar.yaml'))
  const location = vault === undefined ? usualVault() : resolve(vault)
  await using temporary = await makeTemporaryFolder(tmpdir())
  await using host = localHost(temporary.path)
  const looked = folders.map((folder) => resolve(folder))
  const options = { vault: location, passwordFile: `./${passwordName}` }
  const { projects, text } = await proposeConfiguration(host, looked, options, signal)
  const passwordFile = join(dirname(file), passwordName)
  return {
    file,
    passwordFile,
    vault: location,
    projects,
    text,
    accept: async () => {
      await mkdir(dirname(file), { recursive: true })
      const isNew = await writeNew(passwordFile, `${newPassword()}\n`, 0o600)
      if (await writeNew(file, text, 0o644)) return
      if (isNew) await rm(passwordFile)
      throw configError('config.exists', { file })
    },
  }
}

function usualVault(): string {
  if (process.getuid?.() === 0) return '/var/backups/bewaar'
  return join(process.env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'bewaar')
}

/** 160 bits, in letters that nobody takes for another when they are on paper. */
function newPassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  const text = Array.from(randomBytes(32), (byte) => letters[byte % letters.length]!).join('')
  return text.match(/.{8}/g)!.join('-')
}

/** @returns false when there is such a file already, which stays as it is. */
async function writeNew(file: string, text: string, mode: number): Promise<boolean> {
  try {
    await using handle = await open(file, 'wx', mode)
    await handle.writeFile(text)
    await handle.sync()
    return true
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') return false
    throw configError('config.unwritable', { file, reason: thrown instanceof Error ? thrown.message : '' }, thrown)
  }
}
