import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'

import { pause, textOf } from '#base'
import { apiError } from './errors.ts'

/** A server that answers until it is disposed. */
export interface Listening extends AsyncDisposable {
  /** `http://127.0.0.1:8420`. */
  readonly url: string
  readonly port: number
}

const limits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 3000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
} as const
const mostConnections = 64
/** How long an answer that is on its way may take when the server ends. */
const graceMs = 1000

/**
 * Answers at an address and a port; port 0 is one that is free. Requests have a size, a time and a number that they may not
 * pass.
 *
 * @throws `api.not-listening`.
 */
export async function listen(
  app: Hono,
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Listening> {
  signal.throwIfAborted()
  const shown = host.includes(':') ? `[${host}]` : host
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: limits, overrideGlobalObjects: false })
  if ('maxConnections' in server) server.maxConnections = mostConnections
  const begun = Promise.withResolvers<undefined>()
  server.on('error', (error) =>
    begun.reject(apiError('api.not-listening', { address: `${shown}:${port}`, reason: textOf(error) }, error)),
  )
  server.listen(port, host, () => begun.resolve(undefined))
  await begun.promise
  const ended = Promise.withResolvers<undefined>()
  server.once('close', () => ended.resolve(undefined))
  const end = async (): Promise<void> => {
    signal.removeEventListener('abort', onAbort)
    server.close()
    const rest = new AbortController()
    await Promise.race([ended.promise, pause(graceMs, rest.signal).catch(() => {})])
    rest.abort()
    if ('closeAllConnections' in server) server.closeAllConnections()
    await ended.promise
  }
  const onAbort = (): void => void end()
  signal.addEventListener('abort', onAbort, { once: true })
  const address = server.address()
  const at = typeof address === 'object' && address ? address.port : port
  return { url: `http://${shown}:${at}`, port: at, [Symbol.asyncDispose]: end }
}
