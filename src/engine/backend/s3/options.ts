import type { Secret } from '#base'

/** How long, and how firmly, the files of a repository are locked. */
export interface ObjectLock {
  /** `governance` can be lifted by whoever has the right to bypass it; `compliance` by nobody before its date. */
  readonly mode: 'governance' | 'compliance'
  /** The files that are saved are locked until then, rounded up to a whole second. */
  readonly until: Temporal.Instant
}

export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com`, without the bucket. */
  readonly endpoint: string
  readonly bucket: string
  /** Where in the bucket the repository lies: `backups/shop`; '' for the bucket itself. */
  readonly prefix: string
  readonly accessKey: Secret
  readonly secretKey: Secret
  /** Default: what the endpoint says (`s3.eu-central-1.…`), or else `us-east-1`. */
  readonly region?: string
  /** Whether the bucket stands in the path of an address and not in its host. Default: true, but not for AWS. */
  readonly pathStyle?: boolean
  /** Every file but locks is locked when it is saved. The bucket must have been made with Object Lock. */
  readonly objectLock?: ObjectLock
  /** After so long without a byte going or coming an operation is given up. Default: two minutes. */
  readonly stallMs?: number
  /** How many operations are borne at once. Default: 8. */
  readonly connections?: number
  /** Files, or versions, that are asked for at once while listing. Default: 1000, which is the most that S3 gives. */
  readonly pageSize?: number
}

/** The prefix with one slash behind it, or ''. */
export function folderOfPrefix(prefix: string): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, '')
  return trimmed === '' ? '' : `${trimmed}/`
}

/** The region that the name of a host says, as those of AWS, Backblaze and others do. */
export function regionOf(endpoint: string): string {
  return /^s3[.-]([a-z]+-[a-z0-9-]+)\./.exec(new URL(endpoint).hostname)?.[1] ?? 'us-east-1'
}

/** Only AWS still wants the bucket in the host, and only there its certificate is sure to fit. */
export function isPathStyle(endpoint: string): boolean {
  return !/\.amazonaws\.com(?:\.cn)?$/.test(new URL(endpoint).hostname)
}
