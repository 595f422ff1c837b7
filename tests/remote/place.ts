import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { archive, type ArchiveResult, type Part, type Repository } from '#engine'
import { RemoteFiles, SshConnection, type SshTarget } from '#remote'

/** A folder for what a test makes, removed with it. Everybody may read it. */
export function temporaryFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `bewaar-${name}-`))
  chmodSync(path, 0o755)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A connection with its files, and the folder that it needs. */
export async function openFiles(
  target: SshTarget,
  options: { stallMs?: number } = {},
  signal?: AbortSignal,
): Promise<AsyncDisposable & { readonly connection: SshConnection; readonly files: RemoteFiles }> {
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(temporaryFolder('session'))
  chmodSync(folder.path, 0o700)
  const connection = undo.use(await SshConnection.open(target, { folder: folder.path, ...options }, signal))
  const files = await RemoteFiles.open(connection, signal)
  const stack = undo.move()
  return { connection, files, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** One snapshot of `parts`, as if it were made two seconds from now: what was written just before is not in doubt. */
export async function archived(
  repository: Repository,
  parts: readonly Part[],
  options: { parent?: { id: string; tree: string; timeNs: bigint }; signal?: AbortSignal; timeNs?: bigint } = {},
): Promise<ArchiveResult & { readonly timeNs: bigint }> {
  const { parent, signal, timeNs = soonNs() } = options
  const request = { parts, timeNs, paths: ['/'], hostname: 'test', ...(parent && { parent }) }
  return { ...(await archive(repository, request, signal)), timeNs }
}

export function soonNs(): bigint {
  return BigInt(Date.now() + 5000) * 1_000_000n
}

/** Everything that an ordinary user can make in a folder, and what root can besides; everybody may read it. */
export function makeAwkwardTree(folder: string): void {
  mkdirSync(folder, { mode: 0o755 })
  const at = (...names: (string | Buffer)[]): Buffer =>
    Buffer.concat([Buffer.from(folder), ...names.flatMap((name) => [Buffer.from('/'), Buffer.from(name)])])
  writeFileSync(at('empty'), '')
  writeFileSync(at('small'), 'small\n')
  writeFileSync(at('medium'), pattern(700_000))
  writeFileSync(at('exactly-one-chunk'), pattern(512 * 1024))
  writeFileSync(at('large'), pattern(9 * 1024 * 1024 + 17))
  for (const name of awkwardNames) writeFileSync(at(name), `named ${name.toString('hex')}`)
  mkdirSync(at('folder'))
  mkdirSync(at('folder', 'empty folder'))
  mkdirSync(at(Buffer.from('caf\xe9\n', 'latin1')))
  writeFileSync(at(Buffer.from('caf\xe9\n', 'latin1'), "it's"), 'x')
  writeFileSync(at('folder', 'file'), 'x')
  linkSync(at('small'), at('folder', 'hard link'))
  symlinkSync('folder/file', at('link'))
  symlinkSync(Buffer.from('nowhere\n\xff', 'latin1'), at('dangling link'))
  lutimesSync(at('link'), 12.5, 99.25)
  spawnSync('mkfifo', [at('pipe').toString()])
  if (process.getuid?.() === 0) {
    spawnSync('mknod', [at('device').toString(), 'c', '1', '3'])
    spawnSync('mknod', [at('block').toString(), 'b', '259', '70000'])
    writeFileSync(at('setuid'), 'x')
    chmodSync(at('setuid'), 0o6755)
  }
  writeFileSync(at('old'), 'x')
  utimesSync(at('old'), -1.75, -1.75)
  utimesSync(at('small'), 1_600_000_000.123_456, 1_600_000_000.123_456)
  mkdirSync(at('left out'))
  writeFileSync(at('left out', 'file'), 'x')
}

export const awkwardNames: readonly Buffer[] = [
  'line\nbreak',
  'trailing newline\n',
  "quote's",
  'double "quotes" $HOME `id` $(id)',
  '-rf',
  ' spaces ',
  'back\\slash',
  '*?[a]',
  'n\xc3\xa4me',
  'not utf-8 \xe9\xff',
  '\x01\x7f',
  'n'.repeat(255),
].map((name) => Buffer.from(name, 'latin1'))

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at)
  return bytes
}
