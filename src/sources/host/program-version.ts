import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { systemCode } from '#base'
import type { Host, ProgramCall } from './host.ts'

/** What programs of this machine have said, as long as this process lives: by the file, as it is. */
const here = new Map<string, string>()
/** The same of any host, as long as it is used. */
const byHost = new WeakMap<Host, Map<string, string>>()

/**
 * What a program says when it is asked for its version. It is asked once of each host, and a program of this machine again
 * only when its file has changed.
 *
 * @throws as `run` of the host.
 */
export async function askVersion(host: Host, call: ProgramCall, signal?: AbortSignal): Promise<string> {
  const file = host.kind === 'local' ? fileOf(call.program) : undefined
  const [known, key] = file === undefined ? [memoryOf(host), call.program] : [here, file]
  const answer = known.get(key) ?? (await host.run(call, signal))
  known.set(key, answer)
  return answer
}

function memoryOf(host: Host): Map<string, string> {
  const known = byHost.get(host) ?? new Map<string, string>()
  byHost.set(host, known)
  return known
}

/** The file that a program is, as it is at this moment; undefined when nobody knows, or it is a script, which may start any other. */
function fileOf(program: string): string | undefined {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  for (const folder of folders) {
    try {
      const path = realpathSync(join(folder, program))
      const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
      return isScript(path) ? undefined : [path, dev, ino, size, mtimeNs, ctimeNs].join(' ')
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown
    }
  }
  return undefined
}

function isScript(path: string): boolean {
  const descriptor = openSync(path, 'r')
  try {
    const head = Buffer.alloc(2)
    readSync(descriptor, head)
    return head.toString('latin1') === '#!'
  } finally {
    closeSync(descriptor)
  }
}
