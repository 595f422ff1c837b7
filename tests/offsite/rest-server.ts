import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { run } from '../remote/sshd.ts'

export interface TestRclone extends AsyncDisposable {
  /** Without a slash in the end. */
  readonly url: string
  /** What it serves. */
  readonly folder: string
  readonly pid: number
}

/** A folder for what a test makes, removed with it. */
export function scratchFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'bewaar-rest-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Starts `rclone serve restic` over a folder of its own, on loopback, without any setting of this machine. */
export async function startRclone(...options: readonly string[]): Promise<TestRclone> {
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(scratchFolder()).path
  return startOver(folder, options, undo.move())
}

/** Starts it anew where it was before. */
export async function restartRclone({ url, folder }: Pick<TestRclone, 'folder' | 'url'>): Promise<TestRclone> {
  return startOver(folder, ['--addr', new URL(url).host], new AsyncDisposableStack())
}

async function startOver(
  folder: string,
  options: readonly string[],
  disposables: AsyncDisposableStack,
): Promise<TestRclone> {
  await using undo = disposables
  const args = ['serve', 'restic', '--config', '/dev/null', '--addr', '127.0.0.1:0', ...options, folder]
  const server = spawn('rclone', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()))
  undo.defer(async () => {
    server.kill('SIGKILL')
    await ended
  })
  let log = ''
  const url = await new Promise<string>((resolve, reject) => {
    server.stderr.on('data', (bytes: Buffer) => {
      log += bytes.toString()
      const match = /Serving restic REST API on (https?:\/\/[\d.:]+)/.exec(log)
      if (match) resolve(match[1]!)
    })
    void ended.then(() => reject(new Error(`rclone ended: ${log}`)))
  })
  const stack = undo.move()
  return { url, folder, pid: server.pid!, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

export interface TestCertificate {
  /** PEM of the authority. */
  readonly ca: string
  /** Files for a server on 127.0.0.1. */
  readonly certificate: string
  readonly key: string
}

/** A certificate of an authority that nobody knows. */
export function makeCertificate(folder: string): TestCertificate {
  const [ca, caKey, certificate, key, request] = ['ca.pem', 'ca.key', 'own.pem', 'own.key', 'own.csr'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string, string]
  mkdirSync(folder, { recursive: true })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc']
  run('openssl', ['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=authority', '-keyout', caKey, '-out', ca])
  const name = ['-subj', '/CN=server', '-addext', 'subjectAltName=IP:127.0.0.1']
  run('openssl', ['req', ...newKey, ...name, '-keyout', key, '-out', request])
  const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy']
  run('openssl', ['x509', '-req', '-in', request, ...signing, '-out', certificate])
  return { ca: readFileSync(ca, 'utf8'), certificate, key }
}

/** Files below a folder, relative. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()
}
