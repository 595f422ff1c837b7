import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { emptyPlace, type Ended, type Place } from '../e2e/place.ts'
import { around, shownByProcesses } from '../e2e/shown-by-processes.ts'
import { run } from '../remote/sshd.ts'

/** A vault that is elsewhere, as a configuration tells of it. */
export interface FarVault {
  /** Lines of YAML: `location: …` and what belongs to it, without the password of the vault. */
  readonly settings: readonly string[]
  /** What the environment gives. */
  readonly env?: Readonly<Record<string, string>>
  /** Files that the settings name, in the folder of the configuration: name and content. */
  readonly files?: Readonly<Record<string, string>>
  /** Words that must be seen nowhere. */
  readonly secrets: readonly string[]
  /** All that lies there, in bytes. */
  storedBytes(): number | Promise<number>
}

/** A project whose runs are copied to such a vault, and one whose runs write there directly. */
export interface Configured extends AsyncDisposable {
  readonly place: Place
  /** Runs a command line that must end well. */
  readonly succeed: (...args: string[]) => Promise<Ended>
  /** Everything that was said, and that other processes showed while it ran. */
  readonly texts: string[]
}

const vaultPassword = 'canary-of-the-vault'

export async function configured(vault: FarVault): Promise<Configured> {
  await using undo = new AsyncDisposableStack()
  const place = undo.use(await emptyPlace())
  const photo = randomFillSync(Buffer.alloc(3_000_000))
  for (const project of ['copied', 'direct']) {
    await place.write(`${project}/photo.jpg`, photo)
    await place.write(`${project}/notes/read me.txt`, `of ${project}\n`)
  }
  for (const [name, content] of Object.entries(vault.files ?? {})) await place.write(name, content, 0o600)
  const indented = vault.settings.map((line) => `    ${line}\n`).join('')
  await place.write(
    'bewaar.yaml',
    `state: ./state
vaults:
  near: { location: ./near, password: { env: VAULT_PASSWORD } }
  far:
    password: { env: VAULT_PASSWORD }
${indented}projects:
  copied: { type: generic, path: ./copied, schedule: daily 03:00, vault: near, copies: [{ to: far }] }
  direct: { type: generic, path: ./direct, schedule: daily 03:00, vault: far }
`,
  )
  const texts: string[] = []
  const env = { VAULT_PASSWORD: vaultPassword, ...vault.env }
  const succeed = async (...args: string[]): Promise<Ended> => {
    const { child, ended } = place.start(args, { env })
    const looking = setInterval(() => texts.push(shownByProcesses(child.pid!)), 200)
    const end = await ended
    clearInterval(looking)
    texts.push(end.out, end.err)
    assert.equal(end.code, 0, `${args.join(' ')}\n${end.out}${end.err}`)
    return end
  }
  const stack = undo.move()
  return { place, succeed, texts, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

interface RunReport {
  readonly status: string
  readonly bytesAdded: number
  readonly copies: readonly { readonly vault: string; readonly status: string }[]
}

/** Makes the vault, fills it, reads it back and restores from it, and sees that a second run stores little. */
export async function liveWith(vault: FarVault, { place, succeed }: Configured): Promise<void> {
  await succeed('init')
  const first = JSON.parse((await succeed('run', '--json')).out) as RunReport[]
  assert.deepEqual(
    first.map(({ status, copies }) => [status, ...copies.map((copy) => `${copy.vault} ${copy.status}`)]),
    [['complete', 'far complete'], ['complete']],
  )
  const listed = JSON.parse((await succeed('list', '--vault=far', '--json')).out) as { project: string }[]
  assert.deepEqual(listed.map(({ project }) => project).toSorted(), ['copied', 'direct'])

  const before = await vault.storedBytes()
  assert.ok(before > 6_000_000, `${before} bytes are there`)
  for (const project of ['copied', 'direct']) await place.write(`${project}/notes/another.txt`, 'a line\n')
  const second = JSON.parse((await succeed('run', '--json')).out) as RunReport[]
  for (const { status, bytesAdded } of second) {
    assert.equal(status, 'complete')
    assert.ok(bytesAdded < 50_000, `a run that had nothing to do added ${bytesAdded} bytes`)
  }
  const grown = (await vault.storedBytes()) - before
  assert.ok(grown > 0 && grown < 100_000, `two runs that had nothing to do sent ${grown} bytes`)

  const verified = JSON.parse((await succeed('verify', '--vault=far', '--share=100%', '--json')).out) as {
    status: string
    bytesRead: number
  }
  assert.equal(verified.status, 'sound')
  assert.ok(verified.bytesRead > 6_000_000)
  for (const project of ['copied', 'direct']) {
    const to = place.at('restored', project)
    await succeed('restore', `--project=${project}`, '--latest', '--vault=far', `--to=${to}`, '--yes')
    run('diff', ['-r', place.at(project), join(to, 'files')])
  }
}

/** No secret is in what was said and seen, in what Bewaar knows and keeps here, or in what a backup tells. */
export async function assertNoSecret(vault: FarVault, { place, succeed, texts }: Configured): Promise<void> {
  for (const args of [
    ['logs', '--json'],
    ['config', '--json'],
  ]) {
    await succeed(...args)
  }
  const all = [...texts]
  for (const name of ['manifest.json', 'RESTORE.md']) {
    all.push(await readFile(place.at('restored/copied', name), 'utf8'))
  }
  for (const folder of ['state', 'near', 'tmp']) {
    for (const entry of readdirSync(place.at(folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) all.push(readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    }
  }
  for (const secret of [vaultPassword, ...vault.secrets]) {
    for (const text of all) assert.ok(!text.includes(secret), `${secret} in …${around(text, secret)}…`)
  }
}
