import { AppError, runProgram } from '#base'
import type { Vault } from '#model'

/** A key by which a host is known: `SHA256:…`. */
export interface HostKey {
  readonly type: string
  readonly fingerprint: string
}

/**
 * The keys by which the host of a vault is trusted, from the file that is used for it; hashed names are found too. Empty for
 * a vault without a host, and where nobody knows.
 */
export async function hostKeysOf({ location, knownHosts }: Vault, signal?: AbortSignal): Promise<HostKey[]> {
  if (location.kind !== 'sftp' && location.kind !== 'rest-ssh') return []
  const host = location.host.replace(/^\[(.*)\]$/, '$1')
  const name = location.port === undefined || location.port === 22 ? host : `[${host}]:${location.port}`
  const file = knownHosts === undefined ? [] : ['-f', knownHosts]
  try {
    // lines as `# Host … found: line 3`, and `name ED25519 SHA256:…`
    const found = await runProgram('ssh-keygen', ['-l', '-F', name, ...file], {}, signal)
    return found.split('\n').flatMap((line) => {
      const [, type, fingerprint] = /\s([A-Z0-9-]+) (SHA256:\S+)/.exec(line) ?? []
      return type !== undefined && fingerprint !== undefined ? [{ type, fingerprint }] : []
    })
  } catch (thrown) {
    if (signal?.aborted || !(thrown instanceof AppError)) throw thrown
    return [] // because it ends so when it finds none, and when there is no such file or program
  }
}
