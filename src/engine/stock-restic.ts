import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runProgram, type Secret } from '#base'

/** The real restic on one repository: the judge of what we write, and the writer of what we must read. */
export interface StockRestic extends AsyncDisposable {
  /** A folder of its own, gone when it is disposed. */
  readonly scratch: string
  /** The folder of the repository, inside `scratch`. */
  readonly repository: string
  /** What restic printed. @throws `program.failed` with what it complained about. */
  run(...args: string[]): Promise<string>
  /** The same with another password. */
  as(password: Secret, ...args: string[]): Promise<string>
}

/** The environment of restic, without any setting of the person who runs the tests. */
function environment(scratch: string, password: Secret): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('RESTIC_'))
  return {
    ...Object.fromEntries(clean),
    RESTIC_REPOSITORY: join(scratch, 'repository'),
    RESTIC_PASSWORD: password.reveal(),
    RESTIC_CACHE_DIR: join(scratch, 'cache'),
    TZ: 'UTC',
  }
}

/** @param place - where its folder is made. Default: the folder for temporary files. */
export async function stockRestic(password: Secret, place = tmpdir()): Promise<StockRestic> {
  const scratch = await mkdtemp(join(place, 'bewaar-restic-'))
  const as = (password: Secret, ...args: string[]): Promise<string> =>
    runProgram('restic', args, { cwd: scratch, env: environment(scratch, password) })
  return {
    scratch,
    repository: join(scratch, 'repository'),
    as,
    run: (...args) => as(password, ...args),
    [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }),
  }
}
