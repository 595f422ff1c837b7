import { systemCode } from '#base'
import { backendError } from './errors.ts'
import { otherBody, probeBodies, type Attempt, type Attempts } from './probe.ts'

/** A file that is tried, in a place that has paths: on this machine or over SFTP. What it throws has the system's code. */
export interface ProbedFile {
  /** For messages. */
  readonly path: string
  /** Makes it as files of a repository are made. @throws `EEXIST`. */
  make(body: Uint8Array): Promise<void>
  /** Its beginning, more than a probe has at the most; undefined when it is not there. Links are not followed. */
  read(): Promise<Uint8Array | undefined>
  /** Gives its owner the right to write to it. */
  unprotect(): Promise<void>
  /** Writes over its beginning. */
  overwrite(body: Uint8Array): Promise<void>
  truncate(): Promise<void>
  remove(): Promise<void>
  /** Gives it another name, which takes it away from where it belongs. */
  moveAway(): Promise<void>
  /** The reverse. */
  moveBack(): Promise<void>
}

const refusals = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTSUP'])

/**
 * Does to a file what nobody should be able to do, and looks what came of it.
 *
 * A probe that an earlier one had to leave is taken for this one.
 *
 * @throws the system's error when the file can neither be made nor found; `backend.denied` when it is somebody else's.
 */
export async function tryFile(file: ProbedFile): Promise<Attempts & { readonly isLeft: boolean }> {
  try {
    await file.make(probeBodies[0])
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw thrown
  }
  const before = (await file.read()) ?? probeBodies[0]
  if (!isProbe(before)) {
    const facts = { place: file.path, verb: 'save', file: 'a probe', reason: 'another file has its name' }
    throw backendError('backend.denied', facts)
  }
  const next = otherBody(before)
  const overwrites = await attempt(
    () => orUnprotected(file, () => file.overwrite(next)),
    async () => Buffer.compare((await file.read()) ?? before, before) !== 0,
  )
  const truncates = await attempt(
    () => orUnprotected(file, () => file.truncate()),
    async () => (await file.read())?.length === 0,
  )
  const removed = await attempt(
    () => file.remove(),
    async () => (await file.read()) === undefined,
  )
  const moved = removed === 'allowed' ? removed : await moves(file)
  return { overwrites, truncates, deletes: moved === 'allowed' ? moved : removed, isLeft: removed !== 'allowed' }
}

/** One that was truncated is empty. */
function isProbe(body: Uint8Array): boolean {
  return body.length === 0 || probeBodies.some((one) => Buffer.compare(one, body) === 0)
}

async function moves(file: ProbedFile): Promise<Attempt> {
  const moved = await attempt(
    () => file.moveAway(),
    async () => (await file.read()) === undefined,
  )
  if (moved === 'allowed') await file.moveBack().catch(() => {}) // because under its other name it is swept as well
  return moved
}

/** Files of a repository are read-only, and their owner can change that. */
async function orUnprotected(file: ProbedFile, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    if (!refusals.has(systemCode(thrown) ?? '')) throw thrown
    try {
      await file.unprotect()
    } catch {
      throw thrown
    }
    await work()
  }
}

async function attempt(work: () => Promise<void>, hasChanged: () => Promise<boolean>): Promise<Attempt> {
  try {
    await work()
  } catch (thrown) {
    if (await hasChanged()) return 'allowed'
    return refusals.has(systemCode(thrown) ?? '') ? 'refused' : 'unclear'
  }
  return (await hasChanged()) ? 'allowed' : 'refused'
}
