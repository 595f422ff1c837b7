import { AppError, collect } from '#base'
import { sha256Hex } from '../../crypto/hash.ts'
import { folders } from '../layout.ts'
import {
  otherBody,
  probeBodies,
  probeRepository,
  weakestOf,
  type Attempt,
  type Attempts,
  type Probe,
} from '../probe.ts'
import { refusal, translate, type Asked, type Verb } from './answers.ts'
import { wayTo as wayOverSsh, type RestOverSshOptions } from './over-ssh.ts'
import { wayTo, type RestOptions } from './rest.ts'
import type { RestPlace } from './rest-backend.ts'
import type { Answer, Call, Transport } from './transport.ts'

/**
 * Finds out what a login can do to files behind restic's REST protocol, by a repository of probes: one file of each type but
 * locks, which every server lets go. Their content is always the same, so that what cannot be removed is there once.
 *
 * @param options - of the vault, not of one repository in it.
 * @throws errors as the operations of a backend; `backend.denied` when nothing can be stored there.
 */
export async function probeRest(options: RestOptions, signal?: AbortSignal): Promise<Probe> {
  return await probeOver(
    ...wayTo({ ...options, url: `${options.url.replace(/\/?$/, '/')}${probeRepository}/` }),
    signal,
  )
}

/** The same behind a forced command. */
export async function probeRestOverSsh(options: RestOverSshOptions, signal?: AbortSignal): Promise<Probe> {
  const path = [options.path, probeRepository].filter(Boolean).join('/')
  return await probeOver(...wayOverSsh({ ...options, path }), signal)
}

const { lock: _, ...kept } = folders
const [name] = probeBodies.map(sha256Hex)
const paths = ['config', ...Object.values(kept).map((folder) => `${folder}/${name}`)]

async function probeOver(transport: Transport, place: RestPlace, signal?: AbortSignal): Promise<Probe> {
  await using way = transport
  const server = new Server(way, place, signal)
  await server.require(server.asked('create', 'a place for probes'), { method: 'POST', path: '?create=true' })
  const found: Awaited<ReturnType<typeof tryFile>>[] = []
  for (const path of paths) found.push(await tryFile(server, path))
  return { ...weakestOf(found), left: found.filter(({ isLeft }) => isLeft).length }
}

async function tryFile(server: Server, path: string): Promise<Attempts & { readonly isLeft: boolean }> {
  const [first] = probeBodies
  let before = await server.read(path)
  if (before === undefined) {
    await server.require(server.asked('save', 'a probe'), { method: 'POST', path, body: first })
    before = first
  }
  const body = otherBody(before)
  const overwrites = await server.attempt({ method: 'POST', path, body }, async () => {
    const found = await server.read(path)
    return found !== undefined && Buffer.compare(found, before) !== 0
  })
  const deletes = await server.attempt({ method: 'DELETE', path }, async () => (await server.read(path)) === undefined)
  return { overwrites, truncates: 'impossible', deletes, isLeft: deletes !== 'allowed' }
}

/** The repository of probes behind its server. */
class Server {
  readonly #transport: Transport
  readonly #place: RestPlace
  readonly #signal: AbortSignal | undefined

  constructor(transport: Transport, place: RestPlace, signal?: AbortSignal) {
    this.#transport = transport
    this.#place = place
    this.#signal = signal
  }

  asked(verb: Verb, file: string): Asked {
    return { place: this.#place.place, verb, file }
  }

  /** @throws the refusal. */
  async require(asked: Asked, call: Wish): Promise<void> {
    const answer = await this.#ask(asked, call)
    await answer.discard()
    if (answer.status >= 300) throw refusal(asked, answer)
  }

  /** Undefined when it is not there. */
  async read(path: string): Promise<Uint8Array | undefined> {
    const asked = this.asked('load', 'a probe')
    const answer = await this.#ask(asked, { method: 'GET', path })
    if (answer.status === 200) return await collect(answer.bytes(this.#signal))
    await answer.discard()
    if (answer.status === 404) return undefined
    throw refusal(asked, answer)
  }

  /** What the server answers counts less than what came of it. */
  async attempt(call: Wish, hasChanged: () => Promise<boolean>): Promise<Attempt> {
    const answer = await this.#ask(this.asked(call.method === 'POST' ? 'save' : 'remove', 'a probe'), call)
    await answer.discard()
    if (await hasChanged()) return 'allowed'
    return answer.status >= 500 || answer.status === 401 || answer.status === 429 ? 'unclear' : 'refused'
  }

  async #ask(asked: Asked, { method, path, body }: Wish): Promise<Answer> {
    const bytes = body ?? new Uint8Array()
    const hasBody = method === 'POST'
    const headers = {
      'user-agent': 'bewaar',
      accept: 'application/vnd.x.restic.rest.v2',
      ...this.#place.headers,
      ...(hasBody && { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) }),
    }
    const call: Call = { method, path: `${this.#place.path}${path}`, headers, ...(hasBody && { body: bytes }) }
    try {
      return await this.#transport.ask(call, this.#signal)
    } catch (thrown) {
      this.#signal?.throwIfAborted()
      throw thrown instanceof AppError ? thrown : translate(thrown, asked)
    }
  }
}

interface Wish {
  readonly method: Call['method']
  /** Below the repository of probes. */
  readonly path: string
  readonly body?: Uint8Array
}
