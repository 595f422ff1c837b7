import { Secret } from '#base'
import type { PlainAddress, TlsOptions } from '../server-address.ts'

/** Whose programs they are: what they understand in an option file differs. */
export type Flavour = 'mariadb' | 'mysql'

/** Seconds that a program may try to reach the server. */
const connectTimeoutSeconds = 10

/**
 * An option file with all that a client must know to connect, its password too.
 *
 * Source: mariadb.com/kb "Configuring MariaDB with Option Files"; dev.mysql.com/doc/refman "Using Option Files".
 */
export function optionFile(address: PlainAddress, flavour: Flavour): Secret {
  const { host, port, socket, user, password, tls } = address
  const place: [string, string | undefined][] =
    socket === undefined
      ? [
          ['host', host],
          ['port', port?.toString()],
          // A name of this machine means its socket to the clients, as it does to PHP and others.
          ['protocol', host === undefined || host === 'localhost' ? undefined : 'tcp'],
        ]
      : [
          ['socket', socket],
          ['protocol', 'socket'],
        ]
  const lines = [
    ...place,
    ['user', user] as const,
    ['password', password?.reveal()] as const,
    ...(tls ? tlsOptions(tls, flavour) : []),
  ].flatMap(([name, value]) => (value === undefined ? [] : [value === '' ? `${name}=` : `${name}=${quoted(value)}`]))
  return new Secret(`[client]\n${lines.join('\n')}\n[mysql]\nconnect-timeout=${connectTimeoutSeconds}\n`)
}

/** Inside of double quotes `#` begins no comment and blanks stay; escapes mean what they mean in C. */
function quoted(value: string): string {
  const escapes: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b' }
  return `"${value.replace(/[\\"\n\r\t\b]/g, (char) => `\\${escapes[char] ?? char}`)}"`
}

/** MariaDB's clients check a certificate and its name together or not at all. */
function tlsOptions(tls: TlsOptions, flavour: Flavour): [string, string | undefined][] {
  const files: [string, string | undefined][] = [
    ['ssl-ca', tls.authorities],
    ['ssl-cert', tls.certificate],
    ['ssl-key', tls.key],
  ]
  if (flavour === 'mysql') {
    const modes = {
      disable: 'DISABLED',
      prefer: 'PREFERRED',
      require: 'REQUIRED',
      'verify-ca': 'VERIFY_CA',
      'verify-full': 'VERIFY_IDENTITY',
    } as const
    return [['ssl-mode', modes[tls.mode]], ...files]
  }
  if (tls.mode === 'disable') return [['skip-ssl', '']]
  const verifies = tls.mode === 'verify-ca' || tls.mode === 'verify-full'
  return [['ssl', '1'], ['ssl-verify-server-cert', verifies ? '1' : '0'], ...files]
}
