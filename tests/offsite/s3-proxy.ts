import { once } from 'node:events'
import { createServer as createHttpServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What a way to a server does from some byte of an answer on. */
export type Trouble = 'none' | 'stall' | 'cut'

/** A way to a server on this machine that can be made bad. */
export interface Proxy extends AsyncDisposable {
  readonly endpoint: string
  /** From now on each new connection gets so many bytes back, and then that. Those that are open end. */
  setTrouble(trouble: Trouble, afterBytes?: number): Promise<void>
}

export async function startProxy(port: number): Promise<Proxy> {
  let trouble: Trouble = 'none'
  let limit = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const far = connect(port, '127.0.0.1')
    const [mode, most] = [trouble, limit]
    let passed = 0
    const end = (): void => [client, far].forEach((socket) => socket.destroy())
    for (const socket of [client, far]) {
      sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
    client.on('data', (bytes) => void far.write(bytes))
    far.on('data', (bytes: Buffer) => {
      const part = mode === 'none' ? bytes : bytes.subarray(0, Math.max(0, most - passed))
      passed += part.length
      client.write(part)
      if (mode === 'cut' && passed >= most) setTimeout(() => client.resetAndDestroy(), 20)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setTrouble: async (to, afterBytes = 0) => {
      trouble = to
      limit = afterBytes
      for (const socket of sockets) socket.destroy() // because a kept connection would go on as before
      sockets.clear()
      await new Promise((resolve) => void setTimeout(resolve, 10)) // until the other side has seen it
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/**
 * A way to a server that refuses a put with `If-None-Match`, in the words of Backblaze: the real server behind it knows
 * that header.
 */
export async function startPickyProxy(
  port: number,
): Promise<AsyncDisposable & { endpoint: string; refused(): number }> {
  let refused = 0
  const proxy = await startHttpProxy(port, (incoming, answer) => {
    if (incoming.method !== 'PUT' || incoming.headers['if-none-match'] === undefined) return false
    refused++
    incoming.resume()
    const message = 'A header you provided implies functionality that is not implemented'
    answer.writeHead(501, { 'content-type': 'application/xml' })
    answer.end(`<?xml version="1.0"?><Error><Code>NotImplemented</Code><Message>${message}</Message></Error>`)
    return true
  })
  return { ...proxy, refused: () => refused }
}

/** What was asked of a server. */
export interface SeenRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly authorization: string
}

/** A way to a server that remembers what was asked for, until that is taken. */
export async function startListeningProxy(
  port: number,
): Promise<AsyncDisposable & { endpoint: string; take(): SeenRequest[] }> {
  const seen: SeenRequest[] = []
  const proxy = await startHttpProxy(port, ({ method = '', url = '', headers }) => {
    seen.push({ method, path: decodeURIComponent(url), authorization: headers.authorization ?? '' })
    return false
  })
  return { ...proxy, take: () => seen.splice(0) }
}

/** @param answers - whether it has answered by itself; else the request goes on to the server. */
async function startHttpProxy(
  port: number,
  answers: (incoming: IncomingMessage, answer: ServerResponse) => boolean,
): Promise<AsyncDisposable & { endpoint: string }> {
  const server = createHttpServer((incoming, answer) => {
    if (answers(incoming, answer)) return
    const { method, url, headers } = incoming
    const onward = request({ port, host: '127.0.0.1', method, path: url, headers }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers)
      found.pipe(answer)
    })
    onward.on('error', () => answer.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
