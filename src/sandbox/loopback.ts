import { readFileSync, readlinkSync } from 'node:fs'

import { runProgram, startDuplex, type DuplexProgram } from '#base'
import { sandboxError } from './errors.ts'
import { processesIn, waitUntil } from './processes.ts'

/** A network of its own that has nothing but 127.0.0.1, for as long as it is not disposed of. */
export interface Loopback extends AsyncDisposable {
  /** What stands before a program that is to be in it. */
  readonly enter: readonly string[]
}

const patienceMs = 10_000

/**
 * Makes a network in which programs reach each other, and nothing else.
 *
 * @param folder - of a workplace: whoever removes it ends the program that keeps the network.
 * @throws `sandbox.no-network` when we are not root, or a program for it is missing.
 */
export async function openLoopback(folder: string, signal?: AbortSignal): Promise<Loopback> {
  if (process.getuid?.() !== 0) throw sandboxError('sandbox.no-network', { reason: 'only root can make one' })
  const keep = ['--net', 'setpriv', '--pdeathsig', 'KILL', 'sleep', 'infinity']
  const keeper = startDuplex('unshare', keep, { cwd: folder, env: { PATH: process.env['PATH'] } }, signal)
  try {
    let processId: number | undefined
    await waitUntil(() => (processId = processesIn(folder).find(isKeeper)) !== undefined, patienceMs)
    const enter = ['nsenter', `--net=/proc/${processId}/ns/net`]
    await runProgram(enter[0]!, [...enter.slice(1), 'ip', 'link', 'set', 'lo', 'up'], { env: environment() }, signal)
    return { enter, [Symbol.asyncDispose]: () => end(keeper) }
  } catch (thrown) {
    await end(keeper)
    signal?.throwIfAborted()
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw sandboxError('sandbox.no-network', { reason }, thrown)
  }
}

async function end(keeper: DuplexProgram): Promise<void> {
  await keeper[Symbol.asyncDispose]()
}

function isKeeper(processId: number): boolean {
  try {
    const name = readFileSync(`/proc/${processId}/comm`, 'utf8').trim()
    return name === 'sleep' && readlinkSync(`/proc/${processId}/ns/net`) !== readlinkSync('/proc/self/ns/net')
  } catch {
    return false // because it may have ended meanwhile
  }
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }
}
