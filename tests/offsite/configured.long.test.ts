import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { needs } from '../needs.ts'
import { run, startSshd } from '../remote/sshd.ts'
import { assertNoSecret, configured, liveWith, type Configured, type FarVault } from './configured.ts'
import { commandsFrom } from './followed-instructions.ts'
import { makeCertificate, scratchFolder, startRclone } from './rest-server.ts'
import { makeScene, skip as skipS3 } from './s3-scene.ts'
import { bytesBelow } from './stored-bytes.ts'

interface Kind {
  readonly name: string
  readonly skip: string | false
  /** Starts what the vault needs. */
  start(undo: AsyncDisposableStack): Promise<FarVault>
  /** What whoever follows RESTORE.md puts in the place of its blanks; absent where another test does it. */
  readonly filled?: (commands: string, vault: FarVault) => string
}

const kinds: readonly Kind[] = [
  {
    name: 'REST with a password and an own authority',
    skip: needs('rclone', 'openssl', 'restic'),
    start: async (undo) => {
      const { path } = undo.use(scratchFolder())
      const { ca, certificate, key } = makeCertificate(join(path, 'tls'))
      const password = 'canary-of-the-login'
      const logins = join(path, 'logins')
      writeFileSync(logins, `web1:${run('openssl', ['passwd', '-apr1', password])}`)
      const server = undo.use(await startRclone('--cert', certificate, '--key', key, '--htpasswd', logins))
      return {
        settings: [
          `location: rest:${server.url.replace('//', '//web1@')}/backups`,
          'login-password: { file: ./login }',
          'ca: ./ca.pem',
        ],
        files: { login: `${password}\n`, 'ca.pem': ca },
        secrets: [password],
        storedBytes: () => bytesBelow(server.folder),
      }
    },
    filled: (commands, vault) =>
      commands
        .replaceAll('/path/to/ca.pem', 'ca.pem')
        // as the text says for a restic that does not know the two names
        .replace(/rest:https:\/\//, `rest:https://web1:${vault.files!['login']!.trim()}@`),
  },
  {
    name: 'REST that only appends',
    skip: needs('rclone', 'restic'),
    start: async (undo) => {
      const server = undo.use(await startRclone('--append-only'))
      const settings = [`location: rest:${server.url}`]
      return { settings, secrets: [], storedBytes: () => bytesBelow(server.folder) }
    },
    filled: (commands) => commands,
  },
  {
    name: 'REST over SSH that only appends',
    skip: needs('rclone', 'sshd', 'ssh'),
    start: async (undo) => {
      const keyOptions = 'restrict,command="rclone serve restic --stdio --append-only ./backups"'
      const { port, user, target, home } = undo.use(await startSshd({ keyOptions }))
      const identity = readFileSync(target.identity, 'utf8')
      return {
        settings: [
          `location: rest+ssh://${user.name}@127.0.0.1:${port}/web1`,
          'identity: { file: ./identity }',
          `known-hosts: ${target.knownHosts}`,
        ],
        files: { identity },
        secrets: [identity.split('\n')[2]!],
        storedBytes: () => bytesBelow(join(home, 'backups')),
      }
    },
  },
  {
    name: 'S3',
    skip: skipS3 || needs('restic'),
    start: async (undo) => {
      const scene = undo.use(await makeScene())
      const bucket = await scene.makeBucket('versioned')
      const { endpoint, accessKey, secretKey, region } = scene.server
      return {
        settings: [
          `location: ${endpoint.replace(/^http:/, 's3+http:')}/${bucket}/backups of us`,
          'access-key: { env: ACCESS_KEY }',
          'secret-key: { env: SECRET_KEY }',
          `region: ${region}`,
        ],
        env: { ACCESS_KEY: accessKey.reveal(), SECRET_KEY: secretKey.reveal() },
        secrets: [accessKey.reveal(), secretKey.reveal()],
        storedBytes: async () => {
          const { Contents = [] } = await scene.owner.listObjectsV2({ Bucket: bucket })
          return Contents.reduce((sum, { Size = 0 }) => sum + Size, 0)
        },
      }
    },
    filled: (commands, vault) =>
      commands.replace('ACCESS-KEY', vault.env!['ACCESS_KEY']!).replace('SECRET-KEY', vault.env!['SECRET_KEY']!),
  },
]

for (const kind of kinds) {
  suite(`a configured vault: ${kind.name}`, { skip: kind.skip, concurrency: 1 }, () => {
    const undo = new AsyncDisposableStack()
    let vault: FarVault
    let it: Configured
    before(async () => {
      vault = await kind.start(undo)
      it = undo.use(await configured(vault))
    })
    after(() => undo.disposeAsync())

    test('is made, filled, listed, verified and restored from, and the second run sends little', async () => {
      await liveWith(vault, it)
    })

    test('shows its secrets and the password of the vault to nobody', async () => {
      await assertNoSecret(vault, it)
    })

    const { filled } = kind
    if (!filled) return
    test('is read by stock restic as RESTORE.md says', async () => {
      const { place } = it
      const text = readFileSync(place.at('restored/direct/RESTORE.md'), 'utf8')
      const target = place.at('by restic')
      const commands = filled(commandsFrom(text, 'far'), vault).replaceAll('/tmp/restored', `'${target}'`)
      const env = { RESTIC_PASSWORD: 'canary-of-the-vault', RESTIC_CACHE_DIR: place.at('cache') }
      const { code, out, err } = await place.run('sh', ['-euc', commands], { env }).ended
      assert.equal(code, 0, out + err)
      assert.match(out, /no errors were found/)
      const [restored, original] = [join(target, 'files/photo.jpg'), place.at('direct/photo.jpg')]
      assert.equal(readFileSync(restored).compare(readFileSync(original)), 0)
    })
  })
}
