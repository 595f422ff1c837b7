import { feedProgram, isStream, subprocessError, type DuplexProgram, type ProgramEnd, type Secret } from '#base'
import { remoteError } from './errors.ts'
import { shellArgument, shellCommand, type Argument } from './shell-words.ts'
import type { SshConnection } from './ssh.ts'

/** A program to run there: an argument list, quoted for the shell by {@link shellCommand}. */
export interface RemoteCall {
  readonly program: string
  readonly args: readonly Argument[]
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  /** What the program finds in `/dev/fd/3`. */
  readonly secretFile?: Secret
  /** Absent: the program finds nothing on its standard input, and is ended there when nobody waits for it any more. */
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>
}

/** How a program ended there. */
export interface RemoteEnd {
  readonly code: number
  readonly stderr: string
}

const begun = 'bewaar: begun'
const ended = 'bewaar: ended'
/** What a shell may print before the program begins. */
const longestGreeting = 64 * 1024

/**
 * Runs a program there, yields its standard output and returns how it ended, whatever its exit code.
 *
 * @throws `program.missing`; `remote.no-shell`; `remote.unreachable` and the like when the connection ended before the
 * program: only a program that was seen to end has ended.
 */
export async function* runThere(
  connection: SshConnection,
  call: RemoteCall,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, RemoteEnd, void> {
  const start = (program: string, args: readonly string[]): DuplexProgram =>
    connection.start(shellCommand(program, args), signal)
  const { place } = connection
  const unseen = (end: ProgramEnd): Error =>
    end.code === 255 || end.code === null
      ? connection.explain(end)
      : remoteError('remote.no-shell', {
          place,
          program: call.program,
          reason: end.stderr.trim() || 'it was not begun',
        })
  return yield* runInShell(start, call, unseen, signal)
}

/**
 * Runs a program by a shell that is elsewhere, yields its standard output and returns how it ended.
 *
 * @param start - starts a program there, `sh` with its arguments. @param unseen - the error for a program that nobody saw
 * end, from how `start` ended.
 */
export async function* runInShell(
  start: (program: string, args: readonly string[]) => DuplexProgram,
  call: RemoteCall,
  unseen: (end: ProgramEnd) => Error,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, RemoteEnd, void> {
  signal?.throwIfAborted()
  const secret = Buffer.from(call.secretFile?.reveal() ?? '')
  const { program, cwd } = call
  await using session = start('sh', ['-c', scriptOf(call, secret.length)])
  const given = call.input ?? ''
  const streamed = isStream(given) ? given : undefined
  void session.write(Buffer.concat([secret, isStream(given) ? Buffer.alloc(0) : Buffer.from(given)]))
  const feeding = streamed && feedProgram(session, streamed)
  if (call.input !== undefined && !feeding) session.closeInput()
  yield* readBegun(session.output)
  const end = await session.ended
  const fault = await feeding
  signal?.throwIfAborted()
  if (fault) throw fault.thrown
  const mark = new RegExp(`\\n${ended} (\\w+)\\n$`).exec(end.stderr)
  if (!mark) throw unseen(end)
  const stderr = end.stderr.slice(0, mark.index).trim()
  if (mark[1] === 'missing') throw subprocessError('program.missing', { program })
  if (mark[1] === 'folder') throw failed(program, `was not run in ${cwd}`, stderr)
  if (mark[1] === 'secret') throw failed(program, 'was not run, because it could be given no secret', stderr)
  return { code: Number(mark[1]), stderr }
}

/** The same, with a way to ask how it ended when its output has been read. */
export function startThere(
  connection: SshConnection,
  call: RemoteCall,
  signal?: AbortSignal,
): { readonly output: AsyncIterable<Uint8Array>; readonly end: () => RemoteEnd } {
  let end: RemoteEnd | undefined
  const read = async function* (): AsyncGenerator<Uint8Array, void, void> {
    end = yield* runThere(connection, call, signal)
  }
  return { output: read(), end: () => end! }
}

/** The same, ending only after exit code 0. @throws `program.failed` with the end of standard error. */
export async function* streamThere(
  connection: SshConnection,
  call: RemoteCall,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  checkEnd(call, yield* runThere(connection, call, signal))
}

/** @throws `program.failed` unless it ended with exit code 0. */
export function checkEnd({ program }: RemoteCall, { code, stderr }: RemoteEnd): void {
  // because a shell has no other way to say that a program was killed
  const isSignal = code > 128 && code < 160
  const outcome = isSignal ? `was ended by signal ${code - 128}` : `ended with exit code ${code}`
  if (code !== 0) throw failed(program, outcome, stderr)
}

/**
 * The script says on standard output when the program begins, because a shell may print something before, and on standard
 * error how it ended, because ssh has one exit code for its own troubles and those of programs.
 */
export function scriptOf({ program, args, cwd, environment, input }: RemoteCall, secretBytes: number): string {
  const variables = Object.entries(environment ?? {}).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot be a variable`)
    return `export ${name}=${shellArgument(value)}`
  })
  return [
    `fin() { printf '\\n${ended} %s\\n' "$1" >&2; exit 0; }`,
    ...(cwd === undefined ? [] : [`cd ${shellArgument(cwd)} || fin folder`]),
    ...variables,
    `command -v ${shellArgument(program)} >/dev/null || fin missing`,
    ...(secretBytes === 0 ? [] : secretScript(secretBytes)),
    `printf '${begun}\\n'`,
    ...(input === undefined ? lifeline(shellCommand(program, args)) : [shellCommand(program, args), 'fin $?']),
  ].join('\n')
}

/** Standard input stays open for as long as somebody waits here; else a program that waits for a lock would stay for ever. */
function lifeline(command: string): string[] {
  return [
    'exec 4<&0',
    `${command} </dev/null 4<&- & program=$!`,
    '{ exec >/dev/null 2>&1; read -r _ <&4; kill $program; } & watch=$!',
    'wait $program; code=$?',
    'kill $watch 2>/dev/null',
    'fin $code',
  ]
}

/** A file in memory where there is such, whose name is gone before the secret is in it; what is left of input is the program's. */
function secretScript(bytes: number): string[] {
  return [
    'folder=/dev/shm; [ -d $folder ] && [ -w $folder ] || folder=${TMPDIR:-/tmp}',
    'file=$(umask 077; mktemp "$folder/.bewaar-XXXXXXXXXXXX") || fin secret',
    'exec 3<>"$file" || fin secret',
    'rm -f "$file" || fin secret',
    `dd bs=1 count=${bytes} >&3 2>/dev/null || fin secret`,
  ]
}

/** What comes after the line that says that the program begins. */
export async function* readBegun(output: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let greeting: Buffer | undefined = Buffer.alloc(0)
  for await (const piece of output) {
    if (!greeting) {
      yield piece
      continue
    }
    greeting = Buffer.concat([greeting, piece])
    const at = greeting.indexOf(`${begun}\n`)
    if (at === -1) {
      if (greeting.length > longestGreeting) greeting = greeting.subarray(-begun.length)
      continue
    }
    const rest = greeting.subarray(at + begun.length + 1)
    greeting = undefined
    if (rest.length > 0) yield rest
  }
}

function failed(program: string, outcome: string, stderr: string): Error {
  return subprocessError('program.failed', { program, outcome, stderr: stderr || 'it gave no reason' })
}
