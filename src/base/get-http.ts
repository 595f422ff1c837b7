import type { IncomingMessage } from 'node:http'

/** The beginning of an answer. */
export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

const mostBytes = 64 * 1024

/**
 * Asks for an address that the operator wrote into the configuration. No redirect is followed.
 *
 * @throws what the system says when nobody answers in time.
 */
export async function getHttp(
  url: string,
  { timeoutMs }: { readonly timeoutMs: number },
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const either = signal ? AbortSignal.any([signal, deadline]) : deadline
  // only here, because Node takes longer to load it than many a command takes
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http')
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, { signal: either, agent: false }, resolve)
    asked.on('error', (error) => reject(deadline.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error))
    asked.end()
  })
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes >= mostBytes) break
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(pieces).subarray(0, mostBytes).toString() }
}
