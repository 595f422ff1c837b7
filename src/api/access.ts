import type { MiddlewareHandler } from 'hono'
import { timingSafeEqual } from 'hono/utils/buffer'

import type { Secret } from '#base'

/** Whether `host` is an address, or a name, of this machine that no other machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Whether the header `Authorization` brings the token. How long it takes to say no tells nothing of how much of it was right.
 *
 * Source: RFC 6750, section 2.1.
 */
export async function bringsToken(header: string | undefined, token: Secret): Promise<boolean> {
  const [, brought] = /^Bearer +(.+)$/i.exec(header ?? '') ?? []
  return brought !== undefined && (await timingSafeEqual(brought, token.reveal()))
}

/**
 * Refuses requests that name another host than this machine, where only this machine is listened to: a page of a browser here
 * could otherwise read the answers under a name of its own that leads here (DNS rebinding).
 */
export const onlyForLoopback: MiddlewareHandler = async (context, next) => {
  const host = URL.parse(`http://${context.req.header('host') ?? ''}`)?.hostname.replace(/^\[(.*)\]$/, '$1')
  if (host === undefined || !isLoopback(host)) return context.json({ error: 'misdirected' }, 421)
  return await next()
}

/** Nothing is kept, guessed, framed or run, whatever an answer holds. */
export const harmless: MiddlewareHandler = async (context, next) => {
  await next()
  context.header('Cache-Control', 'no-store')
  context.header('X-Content-Type-Options', 'nosniff')
  context.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
}
