import { AppError, collect, isStream, startDuplex, streamProgram, subprocessError } from '#base'
import { checkEnd, runInShell } from '#remote'
import type { Host, ProgramCall } from './host.ts'
import { localHost } from './local-host.ts'

/**
 * A container of this machine: programs run in it, by `docker exec`, and files are read here, where its volumes are.
 *
 * @param temporaryFolder - where a file may lie for a moment; absolute.
 */
export function dockerHost(container: string, temporaryFolder: string): Host {
  const stream = (call: ProgramCall, signal?: AbortSignal): AsyncIterable<Uint8Array> =>
    call.secretFile || (call.input !== undefined && isStream(call.input))
      ? streamWithSecret(container, call, signal)
      : streamInside(container, call, signal)
  return {
    ...localHost(temporaryFolder),
    kind: 'docker',
    place: `docker://${container}`,
    stream,
    run: async (call, signal) => Buffer.from(await collect(stream(call, signal))).toString(),
  }
}

async function* streamInside(
  container: string,
  { program, args, cwd, environment, input }: ProgramCall,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const variables = Object.entries(environment ?? {}).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  const options = [...(cwd === undefined ? [] : ['-w', cwd]), ...variables]
  try {
    const given = { env: dockerEnvironment(), ...(input !== undefined && !isStream(input) && { input }) }
    yield* streamProgram('docker', ['exec', '-i', ...options, container, program, ...args], given, signal)
  } catch (thrown) {
    throw signal?.aborted ? thrown : inside(program, thrown)
  }
}

/** A shell in the container makes the file that has no name; the secret goes there by standard input. */
async function* streamWithSecret(
  container: string,
  call: ProgramCall,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const end = yield* runInShell(
    (program, args) =>
      startDuplex('docker', ['exec', '-i', container, program, ...args], { env: dockerEnvironment() }, signal),
    call,
    ({ code, stderr, error }) =>
      error
        ? subprocessError('program.missing', { program: 'docker' }, error)
        : subprocessError('program.failed', {
            program: `docker exec ${container}`,
            outcome: `ended with exit code ${code}`,
            stderr: stderr.trim() || 'it gave no reason',
          }),
    signal,
  )
  checkEnd(call, end)
}

/** What docker is given of our own environment; the rest may hold secrets that are not its own. */
function dockerEnvironment(): NodeJS.ProcessEnv {
  const named = Object.entries(process.env).filter(([name]) => /^(PATH|HOME|USER|TMPDIR|LANG|DOCKER_\w+)$/.test(name))
  return Object.fromEntries(named)
}

/** What docker says of a program in the container, said of the program. */
function inside(program: string, thrown: unknown): unknown {
  if (!(thrown instanceof AppError) || thrown.code !== 'program.failed') return thrown
  const { outcome, stderr } = thrown.facts
  if (/executable file not found|no such file or directory/i.test(String(stderr)) && /12[67]/.test(String(outcome))) {
    return subprocessError('program.missing', { program }, thrown)
  }
  return subprocessError('program.failed', { program, outcome: outcome!, stderr: stderr! }, thrown)
}
