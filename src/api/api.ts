import { Hono } from 'hono'

import type { Secret } from '#base'
import { bringsToken, harmless, isLoopback, onlyForLoopback } from './access.ts'
import { judgeSystem } from './health.ts'
import type { Reader } from './reader.ts'

export interface ApiOptions {
  /** Who sends it sees details. Absent: nobody sees those of `/health`, and `/metrics` is for this machine alone. */
  readonly token?: Secret
  /** What is listened at, as the configuration has it. */
  readonly host: string
  /** Is told what went wrong with an answer, for the log. */
  readonly onError?: (thrown: unknown) => void
}

/** One reading at a time, for all who ask meanwhile: whoever asks often gets no more work done than who asks once. */
function shared(reader: Reader): Reader {
  let reading: ReturnType<Reader['status']> | undefined
  const status = (): ReturnType<Reader['status']> => {
    reading ??= reader.status().finally(() => (reading = undefined))
    return reading
  }
  return { ...reader, status }
}

/** `GET /health` and `GET /metrics`, and nothing else. It changes nothing. */
export function createApi(source: Reader, { token, host, onError = () => {} }: ApiOptions): Hono {
  const reader = shared(source)
  const app = new Hono({ strict: true })
  app.use(harmless)
  if (isLoopback(host)) app.use(onlyForLoopback)
  app.use(async (context, next) => {
    if (context.req.method === 'GET' || context.req.method === 'HEAD') return await next()
    return context.json({ error: 'method' }, 405, { Allow: 'GET, HEAD' })
  })
  app.get('/health', async (context) => {
    const judged = await judgeSystem(reader)
    const code = judged.status === 'healthy' ? 200 : 503
    const isTrusted = token !== undefined && (await bringsToken(context.req.header('authorization'), token))
    return context.json(isTrusted ? judged : { status: judged.status }, code)
  })
  app.get('/metrics', async (context) => {
    const isTrusted = token ? await bringsToken(context.req.header('authorization'), token) : isLoopback(host)
    if (!isTrusted) return context.json({ error: 'token' }, 401, { 'WWW-Authenticate': 'Bearer' })
    const { writeMetrics } = await import('./metrics.ts')
    const { type, text } = await writeMetrics(reader)
    return context.body(text, 200, { 'Content-Type': type })
  })
  app.notFound((context) => context.json({ error: 'missing' }, 404))
  // because a stack or a message may tell of what nobody outside may know
  app.onError((thrown, context) => {
    onError(thrown)
    return context.json({ error: 'bug' }, 500)
  })
  return app
}
