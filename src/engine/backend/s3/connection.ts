import type { S3 } from '@aws-sdk/client-s3'

import { backendError } from '../errors.ts'
import { folderOfPrefix, isPathStyle, regionOf, type S3Options } from './options.ts'
import { translate, type Subject, type Verb } from './translate.ts'
import { Watch } from './watch.ts'

/** What an operation is about, as far as its caller must say it. */
export interface Purpose {
  readonly verb: Verb
  readonly file: string
}

const connectPatienceMs = 15_000
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** One bucket of one server, and the way there. */
export class S3Connection implements Disposable {
  readonly place: string
  readonly bucket: string
  /** Stands before every key; ends in a slash, or is ''. */
  readonly folder: string
  readonly pageSize: number
  readonly stallMs: number
  /** Whether the server bears `If-None-Match` with a put; false once it has refused it, as Backblaze does. */
  bearsConditions = true
  readonly #s3: S3

  constructor(s3: S3, options: S3Options) {
    this.bucket = options.bucket
    this.folder = folderOfPrefix(options.prefix)
    this.place = `s3:${options.bucket}/${this.folder}`.replace(/\/$/, '')
    this.pageSize = options.pageSize ?? 1000
    this.stallMs = options.stallMs ?? 120_000
    this.#s3 = s3
  }

  /**
   * Performs one request, once, and gives it up when it stalls.
   *
   * @throws `backend.…` in words of ours; the signal's own reason when that was aborted.
   */
  async ask<Answer>(
    purpose: Purpose,
    request: (s3: S3, abortSignal: AbortSignal) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    using watch = new Watch(this.stallMs, signal)
    return await this.askWatched(purpose, watch, request, signal)
  }

  /** The same for what takes as long as it moves: the caller touches the watch. */
  async askWatched<Answer>(
    purpose: Purpose,
    watch: Watch,
    request: (s3: S3, abortSignal: AbortSignal) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    signal?.throwIfAborted()
    try {
      return await request(this.#s3, watch.signal)
    } catch (thrown) {
      signal?.throwIfAborted()
      throw translate(watch.signal.aborted ? watch.signal.reason : thrown, this.subject(purpose))
    }
  }

  subject({ verb, file }: Purpose): Subject {
    return { place: this.place, verb, file }
  }

  unavailable({ verb, file }: Purpose, reason: string): Error {
    return backendError('backend.unavailable', { place: this.place, verb, file, reason })
  }

  [Symbol.dispose](): void {
    this.#s3.destroy()
  }
}

/** Loads the SDK, which takes a while and 30 MB, so that only who has a vault in S3 pays for it. Asks nothing yet. */
export async function connect(options: S3Options): Promise<S3Connection> {
  const { S3 } = await import('@aws-sdk/client-s3')
  const { endpoint, accessKey, secretKey } = options
  const s3 = new S3({
    endpoint,
    region: options.region ?? regionOf(endpoint),
    forcePathStyle: options.pathStyle ?? isPathStyle(endpoint),
    credentials: { accessKeyId: accessKey.reveal(), secretAccessKey: secretKey.reveal() },
    // because what may be tried again, and how often, is decided in one place for all backends
    maxAttempts: 1,
    retryMode: 'standard',
    // because other servers than AWS refuse the newer checksums; Content-MD5 stands in for them
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // because some servers never answer the question whether to go on
    expectContinueHeader: false,
    // because what is left out the SDK takes from the environment and ~/.aws of whoever runs this
    defaultsMode: 'standard',
    followRegionRedirects: false,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    useArnRegion: false,
    disableMultiregionAccessPoints: false,
    disableS3ExpressSessionAuth: true,
    logger: silent,
    requestHandler: { connectionTimeout: connectPatienceMs, requestTimeout: 0, socketTimeout: 0, logger: silent },
  })
  return new S3Connection(s3, options)
}
