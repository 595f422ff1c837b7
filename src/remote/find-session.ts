import type { DuplexProgram } from '#base'
import type { EntryFacts, Path } from './entry.ts'
import { parseFound, printActions, splitFound } from './find.ts'
import { readBegun, scriptOf } from './run-program.ts'
import { shellCommand } from './shell-words.ts'
import type { SshConnection } from './ssh.ts'

/** Paths that one run of find is asked about. */
const pathsOfRun = 64
/** Fills a run, and shows where its answers end: it is there always. */
const filler = '/'

interface Asked {
  readonly found: Map<Path, EntryFacts>
  fillersLeft: number
  readonly resolve: (found: ReadonlyMap<Path, EntryFacts>) => void
  readonly reject: (thrown: unknown) => void
}

/**
 * A program there that waits for paths and runs find for each 64 of them: to ask what became of files that were read
 * costs one way there and back, not the start of a session.
 */
export class FindSession {
  readonly #connection: SshConnection
  readonly #signal: AbortSignal | undefined
  #program: DuplexProgram | undefined
  #asked: Asked[] = []

  constructor(connection: SshConnection, signal: AbortSignal | undefined) {
    this.#connection = connection
    this.#signal = signal
  }

  /** Of each path that is there and can be seen, links not followed. @throws SyntaxError; errors of the connection. */
  async status(paths: readonly Path[]): Promise<Map<Path, EntryFacts>> {
    const found = new Map<Path, EntryFacts>()
    const runs: Promise<ReadonlyMap<Path, EntryFacts>>[] = []
    for (let at = 0; at < paths.length; at += pathsOfRun - 1) runs.push(this.#run(paths.slice(at, at + pathsOfRun - 1)))
    for (const run of await Promise.all(runs)) for (const [path, facts] of run) found.set(path, facts)
    return found
  }

  #run(paths: readonly Path[]): Promise<ReadonlyMap<Path, EntryFacts>> {
    const fillers = Array.from({ length: pathsOfRun - paths.length }, () => filler)
    const words = [...paths.map((path) => (path === filler ? '/.' : path)), ...fillers]
    const program = (this.#program ??= this.#start())
    const found = new Promise<ReadonlyMap<Path, EntryFacts>>((resolve, reject) => {
      this.#asked.push({ found: new Map(), fillersLeft: fillers.length, resolve, reject })
      void program.write(Buffer.from(words.map((word) => `${word}\0`).join(''), 'latin1'))
    })
    const timer = setTimeout(() => this.#giveUp(program), this.#connection.stallMs)
    return found.finally(() => clearTimeout(timer))
  }

  #giveUp(program: DuplexProgram): void {
    for (const { reject } of this.#asked.splice(0)) reject(this.#connection.stalled())
    program.kill()
  }

  #start(): DuplexProgram {
    const actions = printActions('%p').map((word) => `'${word}'`)
    const find = `exec find "$@" -maxdepth 0 ${actions.join(' ')} 2>/dev/null`
    const args = ['-0', '-n', String(pathsOfRun), 'sh', '-c', find, 'find']
    const script = scriptOf({ program: 'xargs', args, input: '' }, 0)
    const program = this.#connection.start(shellCommand('sh', ['-c', script]), this.#signal)
    void this.#receive(program)
    return program
  }

  async #receive(program: DuplexProgram): Promise<void> {
    let failure: unknown
    try {
      for await (const entries of splitFound(readBegun(program.output))) {
        for (const entry of entries) {
          const asked = this.#asked[0]
          if (!asked) throw new SyntaxError('find wrote what nobody asked for')
          if (entry.path !== filler) asked.found.set(entry.path, parseFound(entry))
          else if (--asked.fillersLeft === 0) this.#asked.shift()!.resolve(asked.found)
        }
      }
      failure = this.#signal?.aborted ? this.#signal.reason : this.#connection.explain(await program.ended)
    } catch (thrown) {
      failure = thrown
      program.kill()
    }
    this.#program = undefined // so that the next question says itself what is wrong
    for (const { reject } of this.#asked.splice(0)) reject(failure)
  }
}
