import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { randomHex, systemCode, textOf } from '#base'
import type { ServiceFile, ServiceInstallation, ServiceWish } from '#cli'
import { systemdUnits, type Configuration } from '#model'
import { configError } from './config/errors.ts'

/** Plans the units of systemd for a configuration; nothing is written before it is accepted. */
export async function planService(configuration: Configuration, wish: ServiceWish): Promise<ServiceInstallation> {
  const folder = wish.isForUser ? userFolder() : '/etc/systemd/system'
  const units = systemdUnits({ configuration, program: [process.execPath, findLauncher()], ...wish })
  const files: ServiceFile[] = []
  for (const { name, text } of units) {
    const file = join(folder, name)
    const there = await readOrNone(file)
    files.push({ file, text, state: there === undefined ? 'new' : there === text ? 'same' : 'other' })
  }
  const unit = wish.isTimer ? 'bewaar-due.timer' : 'bewaar.service'
  const control = wish.isForUser ? 'systemctl --user' : 'systemctl'
  return {
    files,
    next: [
      `${control} daemon-reload`,
      `${control} enable --now ${unit}`,
      ...(wish.isForUser ? ['loginctl enable-linger   # so that it runs while nobody is logged in'] : []),
    ],
    accept: async () => {
      await mkdir(folder, { recursive: true })
      for (const { file, text, state } of files) if (state !== 'same') await writeWhole(file, text)
    },
  }
}

/** The program is started from its sources, from what was built of them, or from a bundle in a cache: all are below the launcher. */
function findLauncher(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const launcher = join(folder, 'bin', 'bewaar.js')
    if (existsSync(launcher) || folder === dirname(folder)) return launcher
    folder = dirname(folder)
  }
}

function userFolder(): string {
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd', 'user')
}

async function readOrNone(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT' || systemCode(thrown) === 'ENOTDIR') return undefined
    throw configError('config.unreadable', { file, reason: textOf(thrown) }, thrown)
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const passing = `${file}.${randomHex(4)}`
  try {
    await writeFile(passing, text, { mode: 0o644, flag: 'wx' })
    await rename(passing, file)
  } catch (thrown) {
    throw configError('config.unwritable', { file, reason: textOf(thrown) }, thrown)
  }
}
