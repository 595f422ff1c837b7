import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate of an authority that nobody knows, all in PEM. */
export interface Certificate {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** @param names - as in a certificate: `DNS:mail.example.test`, `IP:127.0.0.1`. */
export function makeCertificate(names: readonly string[]): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  try {
    const inside = (name: string): string => join(folder, name)
    const run = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc']
    const authority = ['-days', '2', '-subj', '/CN=authority', '-keyout', inside('ca.key'), '-out', inside('ca.pem')]
    run('req', '-x509', ...newKey, ...authority)
    const subject = ['-subj', '/CN=server', '-addext', `subjectAltName=${names.join(',')}`]
    run('req', ...newKey, ...subject, '-keyout', inside('key.pem'), '-out', inside('request.pem'))
    const signing = ['-CA', inside('ca.pem'), '-CAkey', inside('ca.key'), '-CAcreateserial', '-days', '2']
    const output = ['-copy_extensions', 'copy', '-in', inside('request.pem'), '-out', inside('certificate.pem')]
    run('x509', '-req', ...signing, ...output)
    const read = (name: string): string => readFileSync(inside(name), 'utf8')
    return { authority: read('ca.pem'), certificate: read('certificate.pem'), key: read('key.pem') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
