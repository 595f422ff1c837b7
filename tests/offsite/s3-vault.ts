import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { S3 } from '@aws-sdk/client-s3'

import { composeServices } from '#app'
import { randomBytes, randomHex, Secret } from '#base'
import { decodeTree, openRepository } from '#engine'
import type { Configuration } from '#model'
import type { Services } from '#usecases'
import { emptyPlace, type Ended, type Place } from '../e2e/place.ts'
import type { Keys, Scene } from './s3-scene.ts'

export interface VaultOptions {
  readonly mode: 'governance' | 'compliance'
  /** Whether runs write straight into the vault; else they write beside it, and it gets copies. */
  readonly direct?: boolean
  /** What is kept in the vault. */
  readonly keep?: string
  /** Default: those of the owner of the bucket, who may do whatever the locks let him. */
  readonly keys?: Keys
  /** Default: the server's own. */
  readonly endpoint?: string
  /** More lines of the vault. */
  readonly more?: string
}

/** A version of an object, as its owner sees it. */
export interface SeenVersion {
  readonly key: string
  readonly id: string
  readonly isMarker: boolean
  readonly mode?: string
  readonly untilMs?: number
}

/** A project whose backups go to a vault in S3 with Object Lock. */
export interface LockedVault extends AsyncDisposable {
  readonly place: Place
  readonly bucket: string
  /** Of the repository of the project. */
  readonly prefix: string
  /** Writes the configuration anew. */
  configure(options: Partial<VaultOptions>): Promise<void>
  /** Runs a command that must end well. @returns what it wrote. */
  done(...args: readonly string[]): Promise<string>
  /** Every version below the prefix, with its retention. */
  versions(): Promise<SeenVersion[]>
}

export const vaultPassword = new Secret('the password of the vaults')

/** Bytes that neither pack nor compress into others. */
export const unlike = (size: number): Uint8Array => Buffer.from(randomBytes(size))

export async function lockedVault(scene: Scene, options: VaultOptions): Promise<LockedVault> {
  const bucket = await scene.makeBucket('locked')
  const place = await emptyPlace()
  const prefix = 'bewaar/shop'
  let current = options
  const configure = async (changes: Partial<VaultOptions>): Promise<void> => {
    current = { ...current, ...changes }
    const { accessKey, secretKey } = current.keys ?? scene.server
    await place.write('access-key', accessKey.reveal(), 0o600)
    await place.write('secret-key', secretKey.reveal(), 0o600)
    await place.write('bewaar.yaml', configurationOf(scene, bucket, current))
  }
  await configure({})
  await place.write('password', `${vaultPassword.reveal()}\n`, 0o600)
  await place.write('shop/shared', unlike(300_000))
  await place.write('shop/small', 'small\n')
  return {
    place,
    bucket,
    prefix,
    configure,
    done: async (...args) => requireDone(args, await place.bewaar(...args)),
    versions: () => versionsIn(current.keys ? scene.clientOf(current.keys) : scene.owner, bucket, `${prefix}/`),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  }
}

/** What use cases take, built from the configuration of a place as the program does it, with another clock. */
export async function servicesOf(
  place: Place,
  aheadMs: number,
): Promise<AsyncDisposable & { readonly services: Services; readonly configuration: Configuration }> {
  const options = { config: join(place.path, 'bewaar.yaml'), json: false, quiet: true, verbose: false }
  const composed = composeServices(options)
  const configuration = await composed.loadConfiguration()
  const opened = await composed.open(configuration, { progress: () => {}, warn: () => {} })
  const { clock } = opened.services
  const later = { now: () => clock.now() + aheadMs, monotonic: () => clock.monotonic() }
  return {
    configuration,
    services: { ...opened.services, clock: later },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

/** The rights that the documents give, as a policy of the bucket. */
export async function grantDocumented(scene: Scene, bucket: string, user: string): Promise<void> {
  const text = readFileSync(new URL('../../docs/operate/s3.md', import.meta.url), 'utf8')
  const policy = JSON.parse(
    /```json\n(\{\n {2}"Version"[^]*?)```/.exec(text)![1]!.replaceAll('aimtrack-backups', bucket),
  ) as { Statement: object[] }
  const Principal = { AWS: [`arn:aws:iam:::user/${user}`] }
  const Statement = policy.Statement.map((statement) => ({ ...statement, Principal }))
  await scene.owner.putBucketPolicy({ Bucket: bucket, Policy: JSON.stringify({ ...policy, Statement }) })
}

/** Nothing of what was there is gone, and no lock of it ends earlier or is weaker. */
export function assertKept(before: readonly SeenVersion[], after: readonly SeenVersion[]): void {
  const there = new Map(after.map((version) => [`${version.key} ${version.id}`, version]))
  for (const version of before.filter(({ untilMs }) => untilMs !== undefined)) {
    const found = there.get(`${version.key} ${version.id}`)
    assert.ok(found, `${version.key} is gone`)
    assert.equal(found.mode, version.mode, version.key)
    assert.ok(found.untilMs! >= version.untilMs!, `${version.key} is locked for a shorter time`)
  }
}

/** A snapshot in a vault: what is below the prefix that it needs. */
export interface SeenSnapshot {
  readonly id: string
  /** Keys in the bucket. */
  readonly packs: readonly string[]
  /** All index files of the repository, each with the packs that it names. */
  readonly indexes: readonly { readonly key: string; readonly packs: readonly string[] }[]
}

/** The snapshots, oldest first, with what each needs: sought without any skill. */
export async function packsOfSnapshots(scene: Scene, { bucket, prefix }: LockedVault): Promise<SeenSnapshot[]> {
  await using backend = await scene.open(bucket, { prefix })
  await using repository = await openRepository(backend, { password: vaultPassword })
  const keyOf = (pack: string): string => `${prefix}/data/${pack.slice(0, 2)}/${pack}`
  const indexes = await Array.fromAsync(backend.list('index'), async ({ name }) => {
    const packs = await repository.loadIndexFile(name)
    return { key: `${prefix}/index/${name}`, packs: packs.map(({ id }) => keyOf(id)) }
  })
  await repository.loadIndex()
  const { snapshots } = await repository.listSnapshots()
  return await Promise.all(
    snapshots.map(async ({ id, snapshot }) => {
      const packs = new Set<string>()
      const take = (type: 'data' | 'tree', blob: string): void => {
        for (const { packId } of repository.index.find(type, blob)) packs.add(keyOf(packId))
      }
      const walk = async (tree: string): Promise<void> => {
        take('tree', tree)
        for (const { content = [], subtree } of decodeTree(await repository.loadBlob('tree', tree))) {
          for (const blob of content) take('data', blob)
          if (subtree !== undefined) await walk(subtree)
        }
      }
      await walk(snapshot.tree)
      return { id, packs: [...packs], indexes }
    }),
  )
}

/** What is restored from the vault is what the project is. */
export async function assertRestores(vault: LockedVault): Promise<void> {
  await vault.done('verify', '--vault=s3', '--share=100%')
  await vault.done('restore', '--project=shop', '--vault=s3', '--latest', '--to=restored', '--quiet')
  await assertSame(vault.place, 'restored/files')
  await rm(vault.place.at('restored'), { recursive: true })
}

/** A folder of the place holds what the project does. */
export async function assertSame(place: Place, folder: string): Promise<void> {
  const { code, out, err } = await place.run('diff', ['--recursive', 'shop', folder]).ended
  assert.deepEqual({ code, out, err }, { code: 0, out: '', err: '' })
}

/** Restic's locks come and go. */
export function isLock({ key }: SeenVersion): boolean {
  return key.includes('/locks/')
}

function configurationOf({ server }: Scene, bucket: string, options: VaultOptions): string {
  const { mode, direct = false, keep = '{ for: 1 year }', endpoint = server.endpoint, more = '' } = options
  return `timezone: Europe/Amsterdam
state: ./state
vaults:
  hot: { location: ./hot, password: { file: ./password } }
  s3:
    location: s3+${endpoint}/${bucket}/bewaar
    access-key: { file: ./access-key }
    secret-key: { file: ./secret-key }
    object-lock: ${mode}
    tier: archive
    password: { file: ./password }
${more}projects:
  shop:
    type: generic
    path: ./shop
    schedule: daily 03:00
    vault: ${direct ? 's3' : 'hot'}
${direct ? '' : '    copies: [{ to: s3 }]\n'}    keep:
      s3: ${keep}
`
}

function requireDone(args: readonly string[], { code, out, err }: Ended): string {
  assert.deepEqual({ code, err }, { code: 0, err: '' }, `${args.join(' ')}\n${out}${err}`)
  return out
}

async function versionsIn(owner: S3, bucket: string, prefix: string): Promise<SeenVersion[]> {
  const found = await owner.listObjectVersions({ Bucket: bucket, Prefix: prefix })
  assert.equal(found.IsTruncated, false)
  const markers = (found.DeleteMarkers ?? []).map(({ Key, VersionId }) => ({
    key: Key!,
    id: VersionId!,
    isMarker: true,
  }))
  const versions = (found.Versions ?? []).map(async ({ Key, VersionId }): Promise<SeenVersion> => {
    const seen = { key: Key!, id: VersionId!, isMarker: false }
    try {
      const { Retention } = await owner.getObjectRetention({ Bucket: bucket, Key, VersionId })
      return { ...seen, mode: Retention!.Mode!, untilMs: Retention!.RetainUntilDate!.getTime() }
    } catch {
      return seen // because it has none
    }
  })
  return [...(await Promise.all(versions)), ...markers]
}

/** A name that a file of a repository could have. */
export const anyName = (): string => randomHex(32)
