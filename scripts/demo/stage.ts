import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { formatBytes, formatSeconds } from '#base'
import { runProgram, say, sayPrinted, verdict, type Finished } from './shell.ts'

export const program = fileURLToPath(new URL('../../bin/bewaar.js', import.meta.url))

/** One line of the table at the end. */
export interface Done {
  readonly command: string
  readonly seconds: number
  readonly stdout: string
  /** May be told better when more is known. */
  result: string
}

interface Comparison {
  readonly what: string
  readonly with: string
  readonly holds: boolean
}

/** Runs Bewaar's command line in the folder of the demo, shows it, and remembers what came of it. */
export class Stage {
  /** Absolute. */
  readonly folder: string
  readonly #signal: AbortSignal
  readonly done: Done[] = []
  readonly comparisons: Comparison[] = []

  constructor(folder: string, signal: AbortSignal) {
    this.folder = folder
    this.#signal = signal
  }

  /**
   * Shows a command and what it prints.
   *
   * @throws when it ends with another exit code than `exitCode`.
   */
  async bewaar(args: readonly string[], result: string, exitCode = 0): Promise<Done> {
    const command = `bewaar ${args.join(' ')}`
    say(`\n$ ${command}`)
    const finished = await this.quietly(args)
    sayPrinted(finished.printed)
    say(`  (${formatSeconds(finished.seconds)}, exit code ${finished.exitCode})`)
    if (finished.exitCode !== exitCode) {
      throw new Error(`"${command}" ended with exit code ${finished.exitCode}, and ${exitCode} was right`)
    }
    return this.#remember(command, finished, result)
  }

  /** The same without showing it. */
  quietly(args: readonly string[]): Promise<Finished> {
    const { BEWAAR_CONFIG: _, ...env } = process.env
    return runProgram(process.execPath, [program, ...args], { cwd: this.folder, env }, this.#signal)
  }

  /** Another program, shown as it is typed. @throws when it fails. */
  async other(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    result: string,
  ): Promise<Done> {
    const set = Object.entries(env).map(([key, value]) => `${key}=${value} `)
    const command = `${name} ${args.join(' ')}`
    say(`\n$ ${set.join('')}${command}`)
    const finished = await runProgram(name, args, { cwd: this.folder, env: { ...process.env, ...env } }, this.#signal)
    sayPrinted(finished.printed)
    if (finished.exitCode !== 0) throw new Error(`"${command}" ended with exit code ${finished.exitCode}`)
    return this.#remember(command, finished, result)
  }

  #remember(command: string, { seconds, stdout }: Finished, result: string): Done {
    const done = { command, seconds, stdout, result }
    this.done.push(done)
    return done
  }

  /** Notes that something must hold; `differences` says in what it does not. */
  compare(what: string, against: string, differences: readonly string[]): void {
    this.comparisons.push({ what, with: against, holds: differences.length === 0 })
    verdict(differences.length === 0, `${what}: ${against}`)
    for (const difference of differences.slice(0, 5)) say(`        ${difference}`)
    if (differences.length > 5) say(`        and ${differences.length - 5} more`)
  }

  /** What a folder of the demo takes on the disk. */
  sizeOf(path: string): string {
    return formatBytes(allocatedIn(Buffer.from(join(this.folder, path))))
  }
}

function allocatedIn(path: Buffer): number {
  const status = lstatSync(path)
  if (!status.isDirectory()) return status.blocks * 512
  const inside = readdirSync(path, { encoding: 'buffer' }).map((name) => Buffer.concat([path, Buffer.from('/'), name]))
  return inside.reduce((sum, one) => sum + allocatedIn(one), 0)
}
