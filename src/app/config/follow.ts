import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { pause, systemCode } from '#base'

const pollMs = 5000
/** Editors write a file in several steps. */
const settleMs = 500

/** The files of a configuration, looked at every some seconds. */
export interface Following {
  /** Remembers how the files are; call it before they are read. */
  look(): Promise<void>
  /** Resolves when they are not as they were, and have stopped to change. @throws the signal's reason. */
  changed(signal: AbortSignal): Promise<void>
}

/**
 * Follows a configuration by reading its files, because neither a time nor a size tells every change, and because a
 * signal to read it again would be one more thing that somebody may forget.
 *
 * @param file - the main file, absolute; `bewaar.d` is beside it.
 */
export function followConfiguration(file: string): Following {
  let seen = ''
  return {
    look: async () => {
      seen = await contentOf(file)
    },
    changed: async (signal) => {
      for (;;) {
        await pause(pollMs, signal)
        let content = await contentOf(file)
        if (content === seen) continue
        for (let before = ''; before !== content;) {
          before = content
          await pause(settleMs, signal)
          content = await contentOf(file)
        }
        if (content !== seen) return
      }
    },
  }
}

async function contentOf(file: string): Promise<string> {
  const folder = join(dirname(file), 'bewaar.d')
  const names = await orCode(async () => (await readdir(folder)).filter((name) => name.endsWith('.yaml')).toSorted())
  const files = [file, ...(Array.isArray(names) ? names.map((name) => join(folder, name)) : [])]
  const contents = await Promise.all(files.map((one) => orCode(() => readFile(one, 'latin1'))))
  return JSON.stringify([names, files, contents])
}

async function orCode<T>(read: () => Promise<T>): Promise<T | string> {
  try {
    return await read()
  } catch (thrown) {
    return systemCode(thrown) ?? '' // because that it cannot be read is a change too
  }
}
