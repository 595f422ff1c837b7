import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StandInOptions {
  /** Of the lists. */
  readonly version: 1 | 2
  readonly appendOnly?: boolean
}

const paths = /^\/(config|(?:data|keys|locks|snapshots|index)\/([0-9a-f]{64})?)$/

/**
 * Answers as rest-server 0.13 was recorded to, with `--no-verify-upload`, from memory: a file that is there is refused with
 * 403, the removal of nothing is a success, and a part that ends behind the end of a file is shortened.
 */
export async function startStandIn(options: StandInOptions): Promise<AsyncDisposable & { readonly url: string }> {
  const files = new Map<string, Buffer>()
  const server = createServer((request, response) => void answer(files, options, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(
  files: Map<string, Buffer>,
  options: StandInOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [repository, path] = /^(\/\w+)(\/.*)$/.exec(request.url!)!.slice(1) as [string, string]
  const key = `${repository}${path}`
  const match = paths.exec(path)
  if (path === '/?create=true') response.end()
  else if (!match) response.writeHead(404).end('Not Found\n')
  else if (path.endsWith('/')) list(files, options, key, request, response)
  else if (request.method === 'POST') await store(files, key, request, response)
  else if (request.method === 'DELETE') {
    const isRefused = options.appendOnly === true && !path.startsWith('/locks/')
    if (!isRefused) files.delete(key)
    response.writeHead(isRefused ? 403 : 200).end()
  } else serve(files.get(key), request, response)
}

function list(
  files: Map<string, Buffer>,
  { version }: StandInOptions,
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const found = [...files].filter(([key]) => key.startsWith(folder))
  const items = found.map(([key, { length }]) => ({ name: key.slice(folder.length), size: length }))
  const isSecond = version === 2 && request.headers.accept === 'application/vnd.x.restic.rest.v2'
  response.setHeader('content-type', `application/vnd.x.restic.rest.v${isSecond ? 2 : 1}`)
  response.end(JSON.stringify(isSecond ? items : items.map(({ name }) => name)))
}

async function store(
  files: Map<string, Buffer>,
  key: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (files.has(key)) {
    response.writeHead(403).end('Forbidden\n')
    return
  }
  try {
    const body = Buffer.concat(await request.toArray())
    const isTaken = files.has(key)
    if (!isTaken) files.set(key, body)
    response.writeHead(isTaken ? 403 : 200).end()
  } catch {
    response.destroy() // because the upload broke off, and nothing is stored
  }
}

function serve(file: Buffer | undefined, request: IncomingMessage, response: ServerResponse): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (file === undefined) response.writeHead(404).end('Not Found\n')
  else if (range === null) response.writeHead(200, { 'content-length': file.length }).end(file)
  else if (Number(range[1]) >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end('invalid range: failed to overlap\n')
  } else {
    const [start, end] = [Number(range[1]), Math.min(Number(range[2] || Infinity) + 1, file.length)]
    response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${file.length}` })
    response.end(file.subarray(start, end))
  }
}
