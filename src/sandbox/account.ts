import { chownSync, readFileSync } from 'node:fs'

/** Who a server runs as when we are root: servers refuse to be, and a throw-away one needs no rights. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Who foreign data is handled as: an account made for it, or the one that owns nothing anywhere. */
export const confinedAccounts = ['bewaar-sandbox', 'nobody'] as const

/**
 * The first of these accounts that this machine has.
 *
 * @returns undefined when we are not root: then the server runs as who we are.
 */
export function findAccount(names: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const accounts = lines.map((line) => line.split(':')).map(([name = '', , uid, gid]) => ({ name, uid, gid }))
  for (const wanted of names) {
    const found = accounts.find(({ name }) => name === wanted)
    if (found) return { name: wanted, uid: Number(found.uid), gid: Number(found.gid) }
  }
  return undefined
}

/** Gives a file or folder to the account. */
export function giveTo(account: Account | undefined, path: string): void {
  if (account) chownSync(path, account.uid, account.gid)
}

/**
 * The argument list that runs a program as the account. It ends with `deathSignal` when we do, so that no server
 * outlives a test that was killed.
 */
export function asAccount(
  account: Account | undefined,
  program: string,
  args: readonly string[],
  deathSignal?: 'QUIT' | 'KILL',
): { readonly program: string; readonly args: readonly string[] } {
  const rights = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : []
  const death = deathSignal ? ['--pdeathsig', deathSignal] : []
  return { program: 'setpriv', args: [...rights, ...death, program, ...args] }
}

/** What a server of foreign data may have of this machine's memory; it fails by itself beyond it. */
const mostMemoryBytes = 8 * 1024 ** 3

/**
 * The argument list that runs a program on foreign data: as the account, after everybody else, without a way to more rights, without
 * core dumps, and when we are root without a network, so that nothing of it can leave.
 */
export function confined(
  account: Account | undefined,
  program: string,
  args: readonly string[],
  options: {
    readonly deathSignal?: 'QUIT' | 'KILL'
    readonly isServer?: boolean
    /** The network that it is in; default: one of its own, without anything. */
    readonly network?: readonly string[]
  } = {},
): { readonly program: string; readonly args: readonly string[] } {
  const inner = asAccount(account, program, args, options.deathSignal)
  const limits = ['--core=0', ...(options.isServer ? [`--as=${mostMemoryBytes}`] : [])]
  const alone = options.network ?? (account ? ['unshare', '--net'] : [])
  return {
    program: 'nice',
    args: ['-n', '10', 'prlimit', ...limits, ...alone, inner.program, '--no-new-privs', ...inner.args],
  }
}
