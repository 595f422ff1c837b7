import { S3, type CreateBucketCommandInput } from '@aws-sdk/client-s3'

import { collect, randomHex, Secret } from '#base'
import { createS3, openS3, type Backend, type S3Backend, type S3Options } from '#engine'
import { isS3Installed, startS3, type S3Server } from '#sandbox'

export { createS3, openS3, type S3Backend }

export const skip = !isS3Installed() && 'needs the packages radosgw, ceph-mon and ceph-osd'

export type ObjectLock = NonNullable<S3Options['objectLock']>
export type FileRef = Parameters<Backend['save']>[0]
export type FileType = FileRef['type']

/** The whole of a file, or of a range of it. */
export function readFile(backend: Backend, ...request: Parameters<Backend['load']>): Promise<Uint8Array> {
  return collect(backend.load(...request))
}

/** Keys of somebody who uses the server. */
export interface Keys {
  readonly accessKey: Secret
  readonly secretKey: Secret
}

/** A real S3 server, and whoever uses it by other means than ours. */
export interface Scene extends AsyncDisposable {
  readonly server: S3Server
  /** The SDK with the keys of the owner of the buckets. */
  readonly owner: S3
  /** @returns the name of a new bucket. */
  makeBucket(kind: 'plain' | 'versioned' | 'locked'): Promise<string>
  /** Opens a place of its own in a bucket, unless the options say which. */
  open(bucket: string, options?: Partial<S3Options>): Promise<S3Backend>
  options(bucket: string, options?: Partial<S3Options>): S3Options
  /** A user of the server without any rights. */
  makeUser(name: string): Promise<Keys>
  /** The SDK with these keys, as a script of somebody would use it. */
  clientOf(keys: Keys): S3
}

export async function makeScene(): Promise<Scene> {
  const server = await startS3()
  const clients: S3[] = []
  const clientOf = ({ accessKey, secretKey }: Keys): S3 => {
    const client = new S3({
      endpoint: server.endpoint,
      region: server.region,
      forcePathStyle: true,
      credentials: { accessKeyId: accessKey.reveal(), secretAccessKey: secretKey.reveal() },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
    clients.push(client)
    return client
  }
  const owner = clientOf(server)
  const options = (bucket: string, more: Partial<S3Options> = {}): S3Options => {
    const { endpoint, accessKey, secretKey } = server
    return { endpoint, bucket, prefix: `vaults/${randomHex(4)}`, accessKey, secretKey, ...more }
  }
  return {
    server,
    owner,
    clientOf,
    options,
    open: (bucket, more) => openS3(options(bucket, more)),
    makeBucket: async (kind) => {
      const bucket = `${kind}-${randomHex(4)}`
      const request: CreateBucketCommandInput = { Bucket: bucket }
      await owner.createBucket(kind === 'locked' ? { ...request, ObjectLockEnabledForBucket: true } : request)
      const VersioningConfiguration = { Status: 'Enabled' } as const
      if (kind === 'versioned') await owner.putBucketVersioning({ Bucket: bucket, VersioningConfiguration })
      return bucket
    },
    makeUser: async (name) => {
      const keys = { accessKey: new Secret(randomHex(10)), secretKey: new Secret(randomHex(20)) }
      const words = ['--access-key', keys.accessKey.reveal(), '--secret-key', keys.secretKey.reveal()]
      await server.administrate('user', 'create', '--uid', name, '--display-name', name, ...words)
      return keys
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}
