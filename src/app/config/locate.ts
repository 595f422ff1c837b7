import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { systemCode } from '#base'
import { configError } from './errors.ts'

/** What the place of the configuration depends on. */
export interface Setting {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly workingFolder: string
  readonly home: string
}

/**
 * The configuration file to use: `given`, `$BEWAAR_CONFIG`, `./bewaar.yaml`, `$XDG_CONFIG_HOME/bewaar/bewaar.yaml`,
 * `/etc/bewaar/bewaar.yaml`, the first that applies. A file that is named must be there; the others may be absent.
 *
 * @returns an absolute path. @throws `config.missing`.
 */
export async function locateConfiguration(given: string | undefined, setting: Setting): Promise<string> {
  const named = given ?? (setting.environment['BEWAAR_CONFIG'] || undefined)
  if (named !== undefined) {
    const file = resolve(setting.workingFolder, named)
    if (await isThere(file)) return file
    const by = given === undefined ? 'BEWAAR_CONFIG names' : '--config names'
    throw configError('config.missing', { looked: `${by} ${file}, which is not there` })
  }
  const places = [
    join(setting.workingFolder, 'bewaar.yaml'),
    join(setting.environment['XDG_CONFIG_HOME'] || join(setting.home, '.config'), 'bewaar', 'bewaar.yaml'),
    '/etc/bewaar/bewaar.yaml',
  ]
  for (const place of places) if (await isThere(place)) return place
  throw configError('config.missing', { looked: `looked for ${places.join(', ')}` })
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    // Because a file that is there and cannot be reached must not be passed over for the next one.
    return systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR'
  }
}
