import { chmod, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { randomHex } from '#base'
import type { Host, ProgramCall } from '#sources'
import type { Scene } from './postgresql-scene.ts'

type Program = 'pg_dump' | 'pg_dumpall' | 'psql'

/** What a stand-in answers to `--version`, so that it is taken for a client of this version. */
const versionAnswer = 'case "$1" in --version) exec "$real" --version;; esac'

/**
 * The host of a scene, with scripts in the place of some client programs. In a script `$real` is the program that it
 * stands for; unless it says otherwise it has that one's version.
 */
export async function hostWith(
  scene: Scene,
  scripts: Readonly<Partial<Record<Program, string>>>,
  version = versionAnswer,
): Promise<Host> {
  const paths = new Map<string, string>()
  for (const [program, script] of Object.entries(scripts)) {
    const path = join(scene.folder, `${program}-${randomHex(6)}`)
    await writeFile(path, `#!/bin/bash\nreal=${scene.server.programFolder}/${program}\n${version}\n${script}\n`)
    await chmod(path, 0o755)
    paths.set(program, path)
  }
  return withPrograms(scene.context.host, (program) => paths.get(basename(program)) ?? program)
}

/** A host with an old client in the folder of versions, and the scene's own on the PATH. */
export async function hostWithOldFolder(scene: Scene): Promise<Host> {
  const path = join(scene.folder, 'pg_dump-of-old')
  await writeFile(path, `#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n`)
  await chmod(path, 0o755)
  return withPrograms(scene.context.host, (program) => (/^.+pg_dump$/.test(program) ? path : program))
}

/** A host on which no program of PostgreSQL can be found. */
export function hostWithout(scene: Scene): Host {
  const host = withPrograms(scene.context.host, (program) => `/nowhere/${basename(program)}`)
  return { ...host, list: async () => [] }
}

function withPrograms(host: Host, place: (program: string) => string): Host {
  const changed = (call: ProgramCall): ProgramCall => ({ ...call, program: place(call.program) })
  return {
    ...host,
    stream: (call, signal) => host.stream(changed(call), signal),
    run: (call, signal) => host.run(changed(call), signal),
  }
}
