import { AppError, throughProgram } from '#base'
import { usecaseError } from '../errors.ts'
import type { Services, TemporaryFolder } from '../services.ts'

/** For whom an export is sealed. There is no other way to make one: it holds everything that a project has. */
export type Seal =
  /** Recipients of age: `age1…`, or a public key of ssh. */
  | { readonly kind: 'age'; readonly recipients: readonly string[] }
  /** Full fingerprints in the keyring of this user, or files with a public key. */
  | { readonly kind: 'gpg'; readonly keys: readonly string[] }
  /** A file whose first line is the passphrase. */
  | { readonly kind: 'passphrase'; readonly file: string }

/** What the name of a sealed file ends with. */
export function endingOf(seal: Seal): '.age' | '.gpg' {
  return seal.kind === 'age' ? '.age' : '.gpg'
}

/** For whom, in words for a log: no secret. */
export function describeSeal(seal: Seal): string {
  if (seal.kind === 'passphrase') return 'whoever has the passphrase'
  return (seal.kind === 'age' ? seal.recipients : seal.keys).join(', ')
}

export type Sealing = (plain: AsyncIterable<Uint8Array>, signal: AbortSignal) => AsyncIterable<Uint8Array>

/**
 * A way to seal, tried out: nothing is read for hours for a key that is not there.
 *
 * @param temporary - lasts as long as the sealing.
 * @throws `export.unsealable` with the words of age or gpg; `program.missing`.
 */
export async function prepareSeal(
  services: Pick<Services, 'readText'>,
  seal: Seal,
  temporary: TemporaryFolder,
  signal: AbortSignal,
): Promise<Sealing> {
  if (seal.kind === 'passphrase') await assertPassphrase(services, seal.file)
  const [program, ...args] = callOf(seal, temporary.path)
  const sealing: Sealing = (plain, stop) => throughProgram(plain, program, args, {}, stop)
  try {
    for await (const _ of sealing(nothing(), signal)); // because only its end matters
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'program.failed') throw thrown
    throw usecaseError('export.unsealable', { for: describeSeal(seal), reason: String(thrown.facts['stderr']) }, thrown)
  }
  return sealing
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {
  // because an empty text is enough to find out whether it can be sealed
}

async function assertPassphrase({ readText }: Pick<Services, 'readText'>, file: string): Promise<void> {
  let text: string
  try {
    text = await readText(file)
  } catch (thrown) {
    throw usecaseError('export.no-passphrase', { file, reason: 'it cannot be read' }, thrown)
  }
  if (text.split('\n', 1)[0]!.trim() === '') {
    throw usecaseError('export.no-passphrase', { file, reason: 'its first line is empty' })
  }
}

function callOf(seal: Seal, folder: string): readonly [string, ...string[]] {
  // Nobody is asked anything, and what is compressed already is not compressed again.
  const gpg = ['gpg', '--batch', '--no-tty', '--quiet', '--compress-algo=none', '--cipher-algo=AES256'] as const
  switch (seal.kind) {
    case 'age':
      return ['age', ...seal.recipients.flatMap((recipient) => ['--recipient', recipient])]
    case 'gpg': {
      // A fingerprint and a file name one key; that nobody has signed it says nothing about whose it is.
      const keys = seal.keys.flatMap((key) => [key.includes('/') ? '--recipient-file' : '--recipient', key])
      return [...gpg, '--trust-model=always', ...keys, '--encrypt']
    }
    case 'passphrase': {
      // A keyring of its own, because none is needed and the user may have none.
      const own = [`--homedir=${folder}`, '--no-autostart', '--pinentry-mode=loopback']
      const strong = ['--s2k-mode=3', '--s2k-digest-algo=SHA512', '--s2k-count=65011712']
      return [...gpg, ...own, ...strong, `--passphrase-file=${seal.file}`, '--symmetric']
    }
    default:
      return seal satisfies never
  }
}
