import { AppError } from '#base'
import type { Host, ProgramCall } from '../host/host.ts'
import type { PlainAddress } from '../server-address.ts'
import { optionFile, type Flavour } from './option-file.ts'

/** A program of MySQL or MariaDB on the host. */
export interface Client {
  readonly program: string
  readonly flavour: Flavour
  /** As in `10.11.19`. */
  readonly version: string
}

/** The first of some programs that the host has, with what it says of itself. */
export async function findClient(
  host: Host,
  programs: readonly string[],
  fits: (client: Client) => boolean,
  signal?: AbortSignal,
): Promise<Client | undefined> {
  for (const program of programs) {
    const version = await findVersion(host, program, signal)
    const client = version === undefined ? undefined : parseVersion(program, version)
    if (client && fits(client)) return client
  }
  return undefined
}

async function findVersion(host: Host, program: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    return await host.run({ program, args: ['--no-defaults', '--version'] }, signal)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'program.missing') return undefined
    throw thrown
  }
}

/**
 * Understands `mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for …`, `mariadb-dump from 11.4.2-MariaDB, client 10.19 for …`
 * and `mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)`.
 */
export function parseVersion(program: string, text: string): Client | undefined {
  const version = /(?:Distrib|from|Ver)\s+(\d+\.\d+\.\d+)/.exec(text)?.[1]
  return version === undefined ? undefined : { program, flavour: flavourOf(text), version }
}

/** MariaDB's programs and servers name themselves in their versions. */
export function flavourOf(version: string): Flavour {
  return /mariadb/i.test(version) ? 'mariadb' : 'mysql'
}

/** Whether a program's series (10.11 of 10.11.19) is older than that of a server. */
export function isOlder(client: string, server: string): boolean {
  const [ours, theirs] = [client, server].map((version) => version.split('.').map((part) => Number.parseInt(part, 10)))
  return ours![0]! < theirs![0]! || (ours![0] === theirs![0] && ours![1]! < theirs![1]!)
}

/**
 * A call of a client that connects as the address says. Settings of the machine and of its users change nothing, unless
 * the address names no account: then what the machine's option files say of it holds.
 */
export function callClient(client: Client, address: PlainAddress, args: readonly string[]): ProgramCall {
  const hasAccount = address.user !== undefined || address.password !== undefined
  const file = hasAccount ? '--defaults-file=/dev/fd/3' : '--defaults-extra-file=/dev/fd/3'
  return {
    program: client.program,
    args: [file, ...args],
    // MySQL's clients read the login file of `mysql_config_editor` beside every other one.
    environment: { LC_ALL: 'C', ...(hasAccount && { MYSQL_TEST_LOGIN_FILE: '/nonexistent/login' }) },
    secretFile: optionFile(address, client.flavour),
  }
}
